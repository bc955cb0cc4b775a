"""Alertmanager's own CPU for the same alerts: the process that Debian's package installs, fed through its API."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = "prometheus-alertmanager"
CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
READY_SECONDS = 15.0
TICKS = os.sysconf("SC_CLK_TCK")
Batch = Sequence[Mapping[str, Any]]


def installed() -> str:
    """Where it is; empty where it is not."""
    return shutil.which(PROGRAM) or ""


def cpu_microseconds(program: str, known: Batch, batches: Iterable[Batch]) -> float:
    """The CPU that a fresh process takes for all batches, once it has taken in what is known."""
    with _running(program) as (pid, url):
        _post(url, known)
        before = _cpu_seconds(pid)
        for batch in batches:
            _post(url, batch)
        return (_cpu_seconds(pid) - before) * 1e6


@contextmanager
def _running(program: str) -> Iterator[tuple[int, str]]:
    with tempfile.TemporaryDirectory() as folder:
        config, address = Path(folder, "alertmanager.yml"), f"127.0.0.1:{_free_port()}"
        config.write_text(CONFIG)
        options = [f"--config.file={config}", f"--storage.path={folder}", f"--web.listen-address={address}"]
        process = subprocess.Popen(
            [program, *options, "--cluster.listen-address="], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait(process, f"http://{address}/-/ready")
            yield process.pid, f"http://{address}/api/v2/alerts"
        finally:
            process.terminate()
            process.wait(10)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{process.args!r} was not ready within {READY_SECONDS} s")


def _post(url: str, batch: Batch) -> None:
    alerts = [{name: alert[name] for name in ("labels", "annotations", "startsAt", "generatorURL")} for alert in batch]
    body, headers = json.dumps(alerts).encode(), {"content-type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10):
        pass


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port

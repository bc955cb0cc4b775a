"""Starts, finds and stops the AWS emulator of this checkout; everything it holds is forgotten when it stops."""

import http.client
import json
import os
import shutil
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.background import ROOT, STATE, Background

HOST = "127.0.0.1"
REGION = "us-east-1"
ACCOUNT = "000000000000"
DEFAULT_PORT = 4599
INTERPRETER = ROOT / ".local" / "emulator" / "venv" / "bin" / "python"
START_SECONDS = 30.0


class PortTaken(RuntimeError):
    """Another program answers on the port, so the emulator cannot be started there."""


class EmulatorFailed(RuntimeError):
    """The emulator ended or stayed silent instead of becoming healthy."""


@dataclass(frozen=True)
class Emulator:
    """A healthy emulator that this checkout started."""

    port: int
    state: Path = STATE

    @property
    def endpoint_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def scratch(self) -> Path:
        """A directory that lives and dies with what the emulator holds."""
        return self.state / "emulator" / "scratch"

    def environment(self) -> dict[str, str]:
        """The AWS_* variables that make any AWS client talk to this emulator as its root, whatever ~/.aws says."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def process_environment(self, inherited: Mapping[str, str] | None = None) -> dict[str, str]:
        """A whole environment for a child process: no AWS_* of the person at the keyboard reaches it."""
        outer = os.environ if inherited is None else inherited
        kept = {name: value for name, value in outer.items() if not name.startswith("AWS_")}
        direct = {"NO_PROXY": f"{HOST},localhost", "no_proxy": f"{HOST},localhost"}
        return kept | direct | self.environment()


def start(port: int | None = None, state: Path = STATE) -> Emulator:
    """A healthy emulator on `port` (default: INCIDENTBOT_PORT, else 4599): the running one, or a new and empty one.

    Raises PortTaken or EmulatorFailed.
    """
    wanted = port or int(os.environ.get("INCIDENTBOT_PORT") or DEFAULT_PORT)
    found = find(state)
    if found and found.port == wanted:
        return found
    process = Background("emulator", state)
    process.stop()
    if _answers(wanted):
        raise PortTaken(f"port {wanted} is taken by another program: choose one with INCIDENTBOT_PORT=<port>")
    emulator = Emulator(wanted, state)
    _forget(emulator)
    process.start([str(INTERPRETER), "-m", "ministack"], _settings(emulator))
    _await_health(emulator, process)
    return emulator


def find(state: Path = STATE) -> Emulator | None:
    """The healthy emulator that this checkout has running, if any."""
    if not Background("emulator", state).running():
        return None
    emulator = Emulator(int(_port_file(state).read_text()), state)
    return emulator if _healthy(emulator.port) else None


def stop(state: Path = STATE) -> bool:
    """Stop it, Lambda workers included; False when none was running."""
    return Background("emulator", state).stop()


def _port_file(state: Path) -> Path:
    return state / "emulator" / "port"


def _forget(emulator: Emulator) -> None:
    directory = emulator.state / "emulator"
    for name in ("scratch", "tmp", "home"):
        shutil.rmtree(directory / name, ignore_errors=True)
        (directory / name).mkdir(parents=True)
    _port_file(emulator.state).write_text(str(emulator.port))


def _settings(emulator: Emulator) -> dict[str, str]:
    """The emulator's whole environment; its Lambda workers inherit it, so nothing of the person's goes in."""
    directory = emulator.state / "emulator"
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(directory / "home"),
        "TMPDIR": str(directory / "tmp"),
        "PYTHONUNBUFFERED": "1",
        "AUTH": "true",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(emulator.port),
        "LAMBDA_EXECUTOR": "local",
        "MINISTACK_REGION": REGION,
    }


def _await_health(emulator: Emulator, process: Background) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _healthy(emulator.port):
        if not process.running():
            raise EmulatorFailed(f"the emulator ended at once; its last words:\n{process.last_words()}")
        if time.monotonic() > deadline:
            process.stop()
            raise EmulatorFailed(f"the emulator was not healthy after {START_SECONDS:.0f} s: see {process.log}")
        time.sleep(0.1)


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/_ministack/health")
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
    return isinstance(answer, dict) and answer.get("auth") == "enabled"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((HOST, port)) == 0

"""Deploys the CDK app onto the emulator with the pinned CDK command line, and hands back the stacks' outputs."""

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from infra.local.background import ROOT
from infra.local.emulator import ACCOUNT, REGION, Emulator

CDK = ROOT / "infra" / "cdk-cli" / "node_modules" / ".bin" / "cdk"
BOOTSTRAP_SECONDS = 120.0
DEPLOY_SECONDS = 600.0
# "✨  Synthesis time: 2.3s" and "✅  IncidentBot (no changes)": the lines of its output that a person waits for
NEWS = re.compile(r"\s*(?:✨\s+(?=Synthesis)|✅\s+)(.+)")

Outputs = dict[str, dict[str, str]]


class DeployFailed(RuntimeError):
    """The CDK command line refused or gave up; the message ends with its last lines."""


def deploy(
    emulator: Emulator,
    context: Mapping[str, str] | None = None,
    directory: Path = ROOT,
    say: Callable[[str], None] = print,
) -> Outputs:
    """Bootstrap once, deploy every stack of the app whose cdk.json lies in `directory`: {stack: {output: value}}.

    `context` goes to the app as `-c name=value`; without one it is {"target": "local"}. Raises DeployFailed.
    """
    _bootstrap(emulator, say)
    outputs = emulator.scratch / "outputs.json"
    outputs.unlink(missing_ok=True)
    chosen = {"target": "local"} if context is None else context
    flags = [part for name, value in chosen.items() for part in ("--context", f"{name}={value}")]
    say("synthesizing and deploying the stacks")
    _cdk(
        [
            *("deploy", "--all", "--require-approval", "never", "--method", "direct"),
            *("--outputs-file", str(outputs), "--output", str(emulator.state / "cdk.out" / "local"), *flags),
        ],
        emulator=emulator,
        directory=directory,
        seconds=DEPLOY_SECONDS,
        say=say,
    )
    return json.loads(outputs.read_text()) if outputs.exists() else {}


def _bootstrap(emulator: Emulator, say: Callable[[str], None]) -> None:
    done = emulator.scratch / "bootstrapped"
    if done.exists():
        return
    say("bootstrapping the emulator's account")
    empty = emulator.scratch / "empty"  # in the app's own directory the command would synthesize the app first
    empty.mkdir(exist_ok=True)
    command = ["bootstrap", f"aws://{ACCOUNT}/{REGION}"]
    _cdk(command, emulator=emulator, directory=empty, seconds=BOOTSTRAP_SECONDS, say=say)
    done.touch()


def _cdk(
    arguments: Sequence[str], *, emulator: Emulator, directory: Path, seconds: float, say: Callable[[str], None]
) -> None:
    log = emulator.state / f"cdk-{arguments[0]}.log"
    with log.open("w") as record:
        process = subprocess.Popen(
            [str(CDK), *arguments, "--no-notices"],
            cwd=directory,
            env=_environment(emulator),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        watchdog = threading.Timer(seconds, _kill, [process])
        watchdog.start()
        try:
            for line in process.stdout or ():
                record.write(line)
                if news := NEWS.match(line):
                    say(f"  {news[1]}")
            code = process.wait()
        finally:
            watchdog.cancel()
            _kill(process)
            process.wait()
    if code:
        tail = "\n".join(log.read_text().splitlines()[-25:])
        raise DeployFailed(f"cdk {arguments[0]} failed with {code}; all of it is in {log}; it ends with:\n{tail}")


def _kill(process: subprocess.Popen[str]) -> None:
    """End the command and the app that it runs, which would otherwise hold its output open."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _environment(emulator: Emulator) -> dict[str, str]:
    environment = emulator.process_environment()
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling the CDK's modules again takes seconds
    return environment | {
        "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "NO_COLOR": "1",
    }

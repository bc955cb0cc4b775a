"""A process that this checkout leaves running; it holds a lock while it lives, so a killed one leaves nothing stale."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".local"

# The shell notes its process group and leaves: the program has no parent to wait for it and inherits the lock.
LAUNCH = 'echo $$ >"$0"; "$@" &'


class AlreadyRunning(RuntimeError):
    """Somebody else in this checkout holds the lock of the process that was to be started."""


@dataclass(frozen=True)
class Background:
    """One named background process with its lock, process group and log under `state`."""

    name: str
    state: Path = STATE

    @property
    def log(self) -> Path:
        return self.state / f"{self.name}.log"

    @property
    def _lock(self) -> Path:
        return self.state / "run" / f"{self.name}.lock"

    @property
    def _group(self) -> Path:
        return self.state / "run" / f"{self.name}.pid"

    def running(self) -> bool:
        """Whether the process that was started under this name still lives."""
        if not self._lock.exists():
            return False
        with self._lock.open() as lock:
            return not _locked(lock, fcntl.LOCK_SH)

    def start(self, command: Sequence[str], environment: Mapping[str, str], directory: Path = ROOT) -> None:
        """Start `command` in its own session, its output going to the log; raises AlreadyRunning."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as lock, self.log.open("wb") as log:
            if not _locked(lock, fcntl.LOCK_EX):
                raise AlreadyRunning(f"{self.name} is already running or being started here")
            subprocess.run(
                ["/bin/sh", "-c", LAUNCH, str(self._group), *command],
                env=dict(environment),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[lock.fileno()],
                check=True,
            )

    def stop(self, grace_seconds: float = 5.0) -> bool:
        """End the process and its children, by force after `grace_seconds`; False when none was running."""
        if not self.running():
            return False
        group = int(self._group.read_text())
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(group, sign)
            if self._gone_within(grace_seconds):
                break
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)  # children that outlived it
        return True

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.running():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def last_words(self, lines: int = 20) -> str:
        """The end of the log, for an error message."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def _locked(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def every(state: Path = STATE) -> Iterator[Background]:
    """Every background process that was ever started under `state`."""
    for lock in sorted((state / "run").glob("*.lock")):
        yield Background(lock.stem, state)

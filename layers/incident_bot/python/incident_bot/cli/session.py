"""One run of the command line: where it goes, how it speaks, and the world around it, which a test replaces."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import typer
from rich.console import Console, RenderableType

from incident_bot.cli.client import Client
from incident_bot.cli.place import Options, Place, found, outputs_near


@dataclass(frozen=True, slots=True)
class Around:
    """What a run takes from outside: the laptop's outputs, the network, the clock, and whether a person can answer."""

    outputs: Path | None
    transport: httpx.BaseTransport | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    asks: Callable[[], bool] = sys.stdin.isatty
    client: Callable[[str], Any] | None = None  # AWS clients in place of the deployment's own

    @classmethod
    def here(cls) -> "Around":
        """The world as it is."""
        return cls(outputs_near(Path.cwd()))


@dataclass
class Session:
    """The run: `options` are the flags, `as_json` says how it speaks."""

    options: Options
    as_json: bool
    around: Around

    @cached_property
    def place(self) -> Place:
        """The deployment that is meant."""
        return found(self.options, self.around.outputs)

    @cached_property
    def client(self) -> Client:
        """Its API, called as the operator."""
        return Client(self.place, self.around.transport)

    def aws(self, service: str) -> Any:
        """An AWS client of the deployment's account."""
        return (self.around.client or self.place.client)(service)

    def tell(self, document: Any, *lines: RenderableType) -> None:
        """The result: one JSON document, or the lines for people."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, indent=2) + "\n")
            return
        console = Console(markup=False, highlight=False, emoji=False, width=_width())
        for line in lines:
            console.print(line, soft_wrap=isinstance(line, str))  # a sentence, path or digest is never broken

    def say(self, *lines: RenderableType) -> None:
        """A message beside the result: to stderr, so that stdout stays what a script reads."""
        console = Console(markup=False, highlight=False, emoji=False, stderr=True, width=_width())
        for line in lines:
            console.print(line, soft_wrap=isinstance(line, str))  # a sentence, path or digest is never broken


def session_of(context: typer.Context) -> Session:
    """The run that a command belongs to."""
    found_there = context.find_object(Session)
    if found_there is None:
        raise RuntimeError("the command line was started without its session")
    return found_there


def safe(text: object) -> str:
    """Foreign text for a terminal: what could move the cursor, hide or reorder is shown as a replacement character."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in str(text))


def _width() -> int | None:
    """A terminal has its own width; a pipe gets lines that are not broken at 80 characters."""
    return None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "200"))

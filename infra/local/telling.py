"""The demo's voice: lines of several stories at once, each with its time and story, and questions in between."""

import re
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

ARN = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:\d*:(?:function:|service/|alarm:|stateMachine:|task-definition/)?")
COLOURS = {"checkout": "cyan", "orders": "magenta", "search": "yellow", "noise": "blue"}
KINDS = {"state": "bold green", "page": "bold red", "approval": "bold", "action": "bold", "closure": "bold green"}
LONGEST = 260


class Narrator:
    """Prints whole lines from any thread; while somebody is asked, the others' lines wait, and so does `now`."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, emoji=False, soft_wrap=True)
        self._lock = threading.RLock()
        self._asked = 0.0  # seconds that questions took so far
        self._asking: float | None = None
        self.began = time.monotonic()

    def now(self) -> float:
        """Seconds since the beginning without those in which a person thinks about an answer."""
        until = self._asking or time.monotonic()
        return until - self.began - self._asked

    def say(self, text: str = "", style: str = "") -> None:
        """A line of the demo itself."""
        with self._lock:
            self.console.print(Text(text, style))

    def title(self, text: str) -> None:
        """A headline."""
        with self._lock:
            self.console.print()
            self.console.rule(Text(text, "bold"), align="left")

    def step(self, text: str) -> None:
        """One step of the way up, with the time since the beginning."""
        self.say(f"  {time.monotonic() - self.began:5.1f} s  {text}", "dim" if text.startswith(" ") else "")

    def line(self, story: str, elapsed: float, text: str, reason: str = "", style: str = "") -> None:
        """One line of a story: what happened and why."""
        shown = Text().append(f"{elapsed:5.1f} s ", "dim")
        shown.append(f"{story:<9}", COLOURS.get(story, ""))
        shown.append(plain(text), style)
        if reason and plain(reason) not in plain(text):
            shown.append(f" — {plain(reason)}", "dim")
        with self._lock:
            self.console.print(shown)

    def entry(self, story: str, elapsed: float, entry: Mapping[str, Any]) -> None:
        """One entry of an incident's timeline."""
        actor = "" if entry["actor"] in ("incident-bot", "act", "release") else f"[{entry['actor']}] "
        reason = "" if entry["kind"] == "fact" and entry["reason"].startswith("from ") else entry["reason"]
        self.line(story, elapsed, f"{actor}{entry['text']}", reason, KINDS.get(entry["kind"], ""))

    def block(self, text: str) -> None:
        """Many lines at once, such as a document."""
        with self._lock:
            self.console.print(Text(_printable(text)))

    def ask(self, shown: Sequence[RenderableType], question: str) -> bool:
        """Show and ask at the prompt; yes when the answer is empty, no when there is none."""
        with self._lock:
            self._asking = time.monotonic()
            try:
                self.console.print()
                for line in shown:
                    self.console.print(line, style="bold", markup=False)
                answer = self.console.input(Text(f"{question} [Y/n] ", "bold yellow"))
            except EOFError:
                return False
            finally:
                self._asked += time.monotonic() - self._asking
                self._asking = None
            return answer.strip().lower() in ("", "y", "yes")


def plain(text: str) -> str:
    """One bounded line without control characters, ARNs by their names."""
    one_line = " ".join(_printable(ARN.sub("", text)).split())
    return one_line if len(one_line) <= LONGEST else f"{one_line[: LONGEST - 1]}…"


def _printable(text: str) -> str:
    """Foreign text for a terminal: nothing in it moves the cursor, hides or reorders."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def has_a_person(environment: Mapping[str, str]) -> bool:
    """Whether somebody can answer: a terminal on both ends, and not CI."""
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    return terminal and environment.get("CI", "").lower() not in ("1", "true", "yes")

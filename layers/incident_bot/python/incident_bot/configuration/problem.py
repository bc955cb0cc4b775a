"""One thing that is wrong in the configuration, said so that its author can put it right at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from incident_bot.domain.nearest import nearest

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong where: the file, the line (from 1), the field's path in the file, and the nearest valid name. What
    a `warning` is about works as it is."""

    file: str
    line: int
    field: str
    reason: str
    nearest: str = ""
    warning: bool = False

    def __str__(self) -> str:
        hint = f"; did you mean {self.nearest}?" if self.nearest else ""
        return f"{self.file}:{self.line} {self.field}: {'warning: ' if self.warning else ''}{self.reason}{hint}"


@dataclass(frozen=True, slots=True)
class Flaw:
    """A problem before its line is known: the path leads to the offending value."""

    path: Path
    reason: str
    nearest: str = ""
    warning: bool = False


def unknown(path: Path, kind: str, name: str, valid: Iterable[str]) -> Flaw:
    """The flaw of naming something that does not exist."""
    return Flaw(path, f"there is no {kind} {name!r}", nearest(name, valid))


def spelled(path: Path) -> str:
    """`('rules', 2, 'when')` as `rules[2].when`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the file"

"""Reads one YAML file into plain values and remembers the line of each, so that every complaint can name it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from incident_bot.configuration.problem import Flaw, Path, Problem, spelled

DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its top level as plain values, the line of every path, and what is wrong with it as YAML."""

    file: str
    content: dict[str, Any]
    lines: dict[Path, int]
    flaws: tuple[Flaw, ...] = field(default=())

    def problem(self, flaw: Flaw) -> Problem:
        """That flaw with its place: the line of the value, or of the nearest thing around it that exists."""
        path = flaw.path
        while path and path not in self.lines:
            path = path[:-1]
        return Problem(self.file, self.lines.get(path, 1), spelled(flaw.path), flaw.reason, flaw.nearest, flaw.warning)


def read(path: FilePath, *, optional: bool = False) -> Document:
    """Read the file; a missing (but for an optional one), unreadable or malformed one is an empty document, flawed."""
    yaml = YAML(typ="safe", pure=True)
    lines: dict[Path, int] = {}
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"))
        flaws: list[Flaw] = []
        content = _Reader(yaml, lines, flaws).value(root, ()) if root is not None else {}
    except FileNotFoundError:
        return Document(str(path), {}, {}, () if optional else (Flaw((), "the file is missing"),))
    except (YAMLError, UnicodeDecodeError, ValueError) as wrong:
        mark = wrong.problem_mark if isinstance(wrong, MarkedYAMLError) else None
        lines = {(): mark.line + 1 if mark else 1}
        return Document(str(path), {}, lines, (Flaw((), f"is not YAML: {_said(wrong)}"),))
    if not isinstance(content, dict):
        return Document(str(path), {}, lines, (Flaw((), "must be a mapping at its top level"),))
    return Document(str(path), content, lines, tuple(flaws))


def _said(wrong: Exception) -> str:
    said = wrong.problem if isinstance(wrong, MarkedYAMLError) else None
    return str(said or wrong).splitlines()[0]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns YAML nodes into values. Duplicate keys are flaws here, for a loader would stop at the first of them."""

    yaml: YAML
    lines: dict[Path, int]
    flaws: list[Flaw]

    def value(self, node: Node, path: Path) -> Any:
        """The node as dicts, lists and scalars."""
        self.lines.setdefault(path, node.start_mark.line + 1)
        if len(path) > DEEPEST:
            raise ValueError(f"nested deeper than {DEEPEST} levels")
        if isinstance(node, MappingNode):
            return dict(self._entries(node, path))
        if isinstance(node, SequenceNode):
            return [self.value(entry, (*path, index)) for index, entry in enumerate(node.value)]
        return self.yaml.constructor.construct_object(node)

    def _entries(self, node: MappingNode, path: Path) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in seen:
                self.flaws.append(Flaw((*path, key), f"is written twice, first in line {seen[key]}"))
                self.lines[*path, key] = line
                continue
            seen[key] = line
            self.lines[*path, key] = line
            yield key, self.value(value_node, (*path, key))

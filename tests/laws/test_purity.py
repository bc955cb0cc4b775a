"""Does the tree keep to its own taste: sentences, telling names, one production, nothing of one machine?"""

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "incident_bot" / "python" / "incident_bot"
SKIPPED = re.compile(
    r"(?:^|/)(?:\.(?!ci/)[\w-]+|node_modules|cdk\.out|__pycache__)/"
)  # tools' caches, what is installed
FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "manager", "base", "process", "constants", "misc"}
TEXT = {".py", ".md", ".json", ".yaml", ".toml", ".txt", ".in", ".sh", ""}
# Where one machine's paths and one network's package index would show: files that work only where they were written.
OF_ONE_MACHINE = re.compile(
    r"(?<![\w/.$}])/(?:home|root|Users|work|tmp)/\w|(?<!emit-)\b(?:extra-)?index-url\b|\.\./shared\b|registry\.npmjs\.org|files\.pythonhosted\.org"
)
# Files that may, each with its reason.
MEANT = {
    "tests/laws/test_purity.py": "says what it looks for",
    "tests/infra/test_toolchain_emulator.py": "makes up a home that nobody has",
}
TARGETS = re.compile(r"\b(?:local|laptop|emulator|emulated|moto|ministack|pytest|testing|is_test)\b", re.IGNORECASE)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def files(*suffixes: str) -> list[Path]:
    """The repository's own files, whether committed yet or not."""
    found = (path for path in ROOT.rglob("*") if path.suffix in suffixes and not SKIPPED.search(named(path)))
    return sorted(path for path in found if path.is_file())


PYTHON = files(".py")
SHIPPED = [path for path in PYTHON if PACKAGE in path.parents or named(path).startswith("functions/")]


def test_there_is_something_to_look_at() -> None:
    assert len(PYTHON) > 100
    assert len(SHIPPED) > 50


def test_every_module_opens_with_a_sentence_that_says_what_it_is_for() -> None:
    silent = []
    for path in PYTHON:
        first = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n\n")[0]
        if first[-1:] not in {".", "?", ":"} or len(first.split()) < 3:
            silent.append(named(path))
    assert silent == []


def test_no_file_is_named_after_nothing() -> None:
    assert [named(path) for path in PYTHON if FORBIDDEN & {path.stem.strip("_"), path.parent.name}] == []


def test_production_knows_no_target() -> None:
    """No `if` in what ships asks where it runs; what differs is configuration."""
    assert [place for path in SHIPPED if "cli" not in path.parts for place in _asks_where_it_runs(path)] == []


def _asks_where_it_runs(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.If, ast.IfExp, ast.While, ast.Match)):
            condition = node.subject if isinstance(node, ast.Match) else node.test
            if TARGETS.search(ast.unparse(condition)):
                yield f"{named(path)}:{node.lineno}"


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX", "HACK"])
def test_nothing_is_put_off_in_a_comment(word: str) -> None:
    assert [place for path in PYTHON for place in _comments_with(path, word)] == []


def _comments_with(path: Path, word: str) -> Iterator[str]:
    with path.open("rb") as source:
        for token in tokenize.tokenize(source.readline):
            if token.type == tokenize.COMMENT and word in token.string:
                yield f"{named(path)}:{token.start[0]}"


def test_nothing_belongs_to_one_machine_or_one_package_index() -> None:
    found = [
        f"{named(path)}:{number}: {line.strip()[:100]}"
        for path in files(*TEXT)
        if named(path) not in MEANT
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if OF_ONE_MACHINE.search(line)
    ]
    assert found == []


def test_a_shipped_module_fits_its_subject() -> None:
    """More than 400 lines are more than one subject."""
    assert [named(path) for path in SHIPPED if len(path.read_text().splitlines()) > 400] == []

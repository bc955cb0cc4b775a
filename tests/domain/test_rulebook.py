"""Has every decision of triage a rule's name, is the set of names closed, and does the page in docs explain each?"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from incident_bot.domain.rulebook import RuleName, grounds
from incident_bot.domain.timeline import GENESIS, Line, sealed
from incident_bot.virtual.clock import T0

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers/incident_bot/python/incident_bot"
DECIDING = [
    *sorted((PACKAGE / "domain").glob("*.py")),
    PACKAGE / "paging/storms.py",
    PACKAGE / "ingest/arrival.py",
    PACKAGE / "ingest/suppression.py",
    PACKAGE / "operating/correcting.py",
    ROOT / "functions/triage/triage.py",
]
NAMES = get_args(RuleName)


def _decisions(path: Path) -> Iterator[ast.Call]:
    """The calls that write a decision down as a line of the timeline."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("say", "Line") and node.args[0].value == "decision":
                yield node


def test_no_name_is_twice() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_the_page_in_docs_has_exactly_these_names_in_this_order() -> None:
    page = (ROOT / "docs/triage-rules.md").read_text()
    assert tuple(re.findall(r"^\| `([a-z0-9-]+)` \| \S", page, re.MULTILINE)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_some_code_decides_by_it(name: str) -> None:
    code = [path.read_text() for path in DECIDING if path.name != "rulebook.py"]
    assert any(f'"{name}"' in text for text in code)


@pytest.mark.parametrize("path", DECIDING, ids=[str(path.relative_to(ROOT)) for path in DECIDING])
def test_no_decision_is_written_without_its_rule(path: Path) -> None:
    unnamed = [
        f"{path.name}:{call.lineno}"
        for call in _decisions(path)
        if not any(keyword.arg == "rule" for keyword in call.keywords)
    ]
    assert unnamed == []


@pytest.mark.parametrize(
    ("rule", "reason", "written"),
    [
        ("no-cause", "no open incident explains it", "no-cause: no open incident explains it"),
        ("", "a person says so", "a person says so"),
        ("acknowledged", "", "acknowledged"),
        ("", "", ""),
    ],
)
def test_the_timeline_shows_the_rule_before_the_reason(rule: str, reason: str, written: str) -> None:
    entry = sealed("inc1", 1, T0, Line("decision", "it pages now", reason, rule=rule), GENESIS)
    assert entry["reason"] == grounds(rule, reason) == written

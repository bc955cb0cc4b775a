"""Asks whether the domain imports the standard library and itself, which no list of forbidden packages can promise."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

DOMAIN = Path(__file__).resolve().parents[2] / "layers/incident_bot/python/incident_bot/domain"


def imported(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module if node.module and not node.level else "."


def test_the_domain_imports_the_standard_library_and_itself() -> None:
    modules = sorted(DOMAIN.rglob("*.py"))
    assert modules
    strangers = [
        f"{module.name} imports {name}"
        for module in modules
        for name in imported(module)
        if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("incident_bot.domain")
    ]
    assert strangers == []

"""Is what README.md and docs/adding.md say about adding one true when it is followed to the letter?"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = ("README.md", "docs/adding.md")
PACKAGE = "layers/incident_bot/python/incident_bot"
# A path, perhaps the list of a file that an entry belongs to, and a block of code.
RECIPE = re.compile(r"^`([^`\n]+)`(?:, under `(\w+:)`)?\n```(?:python|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".local", "node_modules", "cdk.out", "__pycache__", ".*_cache")
GUARDS = ("tests/laws/test_plugins.py", "tests/laws/test_names.py", "tests/sources", "tests/configuration")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A block of code with the path that it is to be written to, or the list of that file that it is an entry of."""

    path: str
    under: str
    code: str


RECIPES = tuple(Recipe(*found) for guide in GUIDES for found in RECIPE.findall((ROOT / guide).read_text()))
FILES = [recipe.path for recipe in RECIPES if not recipe.under]


@dataclass(frozen=True, slots=True)
class Checkout:
    """A copy of the checkout in which the recipes were followed, and its permissions before and after."""

    folder: Path
    before: str
    after: str

    def run(self, *arguments: str) -> str:
        """What Python says, run there."""
        environment = {**os.environ, "PYTHONPATH": f"{self.folder}:{self.folder}/layers/incident_bot/python"}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def operator(self, *arguments: str) -> str:
        """What `incidentbot` says there."""
        return self.run("-c", "from incident_bot.cli.main import app; app()", *arguments)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """The recipes followed, permissions.txt written anew, and nothing else."""
    folder = tmp_path_factory.mktemp("checkout") / "incident-bot"
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
    for recipe in RECIPES:
        _follow(recipe, folder)
    permissions = folder / "permissions.txt"
    before = permissions.read_text()
    checkout = Checkout(folder, before, "")
    checkout.run("-m", "infra.aws.permissions")
    yield Checkout(folder, before, permissions.read_text())
    shutil.rmtree(folder)


def _follow(recipe: Recipe, folder: Path) -> None:
    path = folder / recipe.path
    if not recipe.under:
        path.write_text(recipe.code)
        return
    text = path.read_text()
    assert text.count(f"\n{recipe.under}\n") + text.startswith(f"{recipe.under}\n") == 1, f"{recipe.path} has no list"
    path.write_text(text.replace(f"{recipe.under}\n", f"{recipe.under}\n{recipe.code}\n", 1))


def test_there_is_a_recipe_for_each_kind_with_its_test() -> None:
    kinds = {"sources": None, "facts": "tests/facts", "actions": "tests/actions", "channels": "tests/channels"}
    for kind, tests in kinds.items():
        (example,) = [path for path in FILES if path.startswith(f"{PACKAGE}/{kind}/")]
        assert tests is None or f"{tests}/test_{Path(example).name}" in FILES
    assert {recipe.path for recipe in RECIPES if recipe.under} == {
        "config/rules.yaml",
        "config/playbooks.yaml",
        "config/sources.yaml",
    }


def test_what_is_added_is_new() -> None:
    assert [path for path in FILES if (ROOT / path).exists()] == []


def test_the_tree_with_it_is_in_order(followed: Checkout) -> None:
    followed.run("-m", "ruff", "check", "--no-cache", *FILES)
    followed.run("-m", "ruff", "format", "--check", "--no-cache", *FILES)
    followed.run("-m", "mypy", "--cache-dir", os.devnull, *FILES)


def test_its_tests_and_the_laws_hold(followed: Checkout) -> None:
    tests = [path for path in FILES if path.startswith("tests/")]
    followed.run("-m", "pytest", "-q", *tests, *GUARDS)


def test_the_configuration_takes_it(followed: Checkout) -> None:
    followed.operator("check", "config")


def test_its_role_may_exactly_what_its_file_declares(followed: Checkout) -> None:
    """Least privilege comes by itself: one new role for the action, one new line for the fact, nothing for the rest."""
    assert set(followed.before.splitlines()) <= set(followed.after.splitlines())
    fresh = set(followed.after.splitlines()) - set(followed.before.splitlines())
    may = {" ".join(line.split()[:2]) for line in fresh if "!" not in line and "<-" not in line}
    becoming = {f"Act sts:{right}" for right in ("AssumeRole", "TagSession", "SetSourceIdentity")}
    assert may == becoming | {"Enrich lambda:GetFunctionConfiguration", "ScaleEcsServiceAction ecs:UpdateService"}


def test_an_alert_of_the_new_source_becomes_an_incident(followed: Checkout) -> None:
    """Through the product's own handlers and machines, on a virtual clock."""
    late = {"name": "backup", "status": "down", "at": "2026-01-15T10:00:00Z", "service": "orders"}
    assigned = followed.folder / "assigned.jsonl"
    _recorded(followed.folder / "late.jsonl", "healthchecks", late)
    followed.operator("replay", "late.jsonl", "--assign", str(assigned))
    (assignment,) = [json.loads(line) for line in assigned.read_text().splitlines()]
    assert assignment["incident"], assignment


def test_an_alert_of_the_described_source_becomes_an_incident(followed: Checkout) -> None:
    check = {"id": 7, "name": "login", "ok": False, "level": 1, "at": 1768471200}
    assigned = followed.folder / "described.jsonl"
    _recorded(followed.folder / "probe.jsonl", "probe", {"service": "orders", "checks": [check]})
    followed.operator("replay", "probe.jsonl", "--assign", str(assigned))
    (assignment,) = [json.loads(line) for line in assigned.read_text().splitlines()]
    assert assignment["incident"], assignment


def test_the_new_rule_decides(followed: Checkout) -> None:
    slow = {"title": "SearchLatencyHigh", "status": "firing", "service": "search"}
    (followed.folder / "slow.json").write_text(json.dumps(slow))
    told = json.loads(followed.operator("policy", "explain", "slow.json", "--source", "generic", "--json"))
    assert "slow-search" in json.dumps(told)


def _recorded(path: Path, source: str, body: Mapping[str, object]) -> None:
    path.write_text(json.dumps({"at": 0, "delivery_id": "d1", "source": source, "body": json.dumps(body)}) + "\n")

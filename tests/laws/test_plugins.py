"""Does every plugin declare everything about itself that the rest of the product reads?"""

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from incident_bot import plugins
from incident_bot.actions import Action
from incident_bot.channels import Channel
from incident_bot.domain.arn import kind_of
from incident_bot.domain.errors import Invalid, NotFound
from incident_bot.facts import Fact
from incident_bot.permission import Permission
from incident_bot.sources import Source, generic
from incident_bot.virtual.clock import T0

LAYER = Path(__file__).parents[2] / "layers" / "incident_bot" / "python"


def each(package: str) -> Any:
    return pytest.mark.parametrize("name", plugins.names(f"incident_bot.{package}"))


def assert_least_privilege(permissions: tuple[Permission, ...]) -> None:
    for permission in permissions:
        assert permission.actions
        assert permission.resources
        assert [action for action in permission.actions if "*" in action or ":" not in action] == []


@pytest.mark.parametrize("package", ["sources", "facts", "actions", "channels"])
def test_every_file_of_a_plugin_package_opens_with_a_sentence(package: str) -> None:
    folder = LAYER / "incident_bot" / package

    undescribed = [
        path.name
        for path in folder.glob("*.py")
        if not (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0].endswith((".", ":"))
    ]
    assert undescribed == []


@each("sources")
def test_a_source_is_complete(name: str) -> None:
    plugin: Source = plugins.declared(f"incident_bot.sources.{name}", "Source")

    assert plugin.reference.startswith("https://")
    assert len(plugin.examples) >= 2
    assert len({example.name for example in plugin.examples}) == len(plugin.examples)
    statuses = {expected.get("status") for example in plugin.examples for expected in example.expect}
    if not statuses:
        assert all(plugin.parse(example.body, T0).changes for example in plugin.examples), "it tells of nothing"
    else:
        assert "firing" in statuses
        assert ("resolved" in statuses) is plugin.resolves, "it says that a series is over, or that it never does"
        assert plugin.labels
    assert plugin.recognise or plugin.authentication, "nothing could ever reach it"
    assert not plugin.event_patterns or plugin.recognise, "its events would be recognised by nobody"
    assert bool(plugin.ask) == bool(plugin.permissions)
    assert_least_privilege(plugin.permissions)


@each("sources")
def test_what_a_source_asks_eventbridge_for_is_what_it_recognises(name: str) -> None:
    plugin: Source = plugins.declared(f"incident_bot.sources.{name}", "Source")

    for pattern in plugin.event_patterns:
        (source,), detail_types = pattern["source"], pattern["detail-type"]

        assert plugin.recognise is not None
        assert detail_types
        for detail_type in detail_types:
            assert plugin.recognise({"source": source, "detail-type": detail_type})
        assert not plugin.recognise({"source": source, "detail-type": "something else"})


@each("facts")
def test_a_fact_is_complete(name: str) -> None:
    plugin: Fact = plugins.declared(f"incident_bot.facts.{name}", "Fact")

    assert plugin.reads
    assert 0 < plugin.deadline_seconds <= 10
    assert plugin.ttl_seconds > 0
    assert_least_privilege(plugin.permissions)


@each("actions")
def test_an_action_is_complete(name: str) -> None:
    plugin: Action = plugins.declared(f"incident_bot.actions.{name}", "Action")

    assert plugin.does.endswith(".")
    assert plugin.takes.count("::") == 2
    assert kind_of(plugin.example["target"]) == plugin.takes
    needed, read = plugin.permissions(plugin.example["target"]), plugin.reads(plugin.example["target"])
    assert needed
    assert_least_privilege((*needed, *read))


@each("channels")
def test_a_channel_is_complete(name: str) -> None:
    plugin: Channel = plugins.declared(f"incident_bot.channels.{name}", "Channel")

    assert plugin.reference.startswith("https://")
    assert not plugin.default_url or plugin.default_url.startswith("https://")


@pytest.mark.parametrize(
    "name", ["", "nope", "__init__", "_private", "generic.SOURCE", "../sources/generic", "GENERIC", "os"]
)
def test_a_name_from_outside_imports_nothing_but_a_source(name: str) -> None:
    with pytest.raises(NotFound):
        plugins.source(name)


def test_a_source_is_found_by_the_name_of_its_file() -> None:
    assert plugins.source("generic") is generic.SOURCE is plugins.sources()["generic"]


@pytest.mark.parametrize(
    ("declares", "reason"),
    [
        ({}, "declares no Source named SOURCE"),
        ({"SOURCE": "generic"}, "declares no Source named SOURCE"),
        ({"SOURCE": generic.SOURCE}, "its name is 'generic', its file says 'weather'"),
    ],
)
def test_a_file_that_declares_no_plugin_fails_loudly(
    declares: dict[str, Any], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("incident_bot.sources.weather")
    vars(module).update(declares)
    monkeypatch.setitem(sys.modules, module.__name__, module)

    with pytest.raises(Invalid, match=reason):
        plugins.declared(module.__name__, "Source")


def test_asking_for_one_source_imports_neither_the_others_nor_the_other_kinds() -> None:
    program = (
        "import sys; from incident_bot import plugins; plugins.source('generic');"
        "print(*sorted(m for m in sys.modules if m.startswith('incident_bot.') and m.count('.') == 2))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(LAYER)}, capture_output=True, text=True, check=True
    )

    imported = {module.split(".")[1]: module for module in done.stdout.split() if ".domain." not in module}
    assert imported == {"sources": "incident_bot.sources.generic"}

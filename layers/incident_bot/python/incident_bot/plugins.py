"""Discovery of sources, facts, actions and channels by place and type: one file is one plug-in; a bad one fails."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import TypeVar

from incident_bot.actions import Action
from incident_bot.channels import Channel
from incident_bot.domain.errors import Invalid
from incident_bot.facts import Fact
from incident_bot.sources import Source

Plugin = TypeVar("Plugin", Source, Fact, Action, Channel)


@cache
def sources() -> Mapping[str, Source]:
    """Every alert source, by name."""
    return _found("sources", Source)


@cache
def facts() -> Mapping[str, Fact]:
    """Every enrichment provider, by name."""
    return _found("facts", Fact)


@cache
def actions() -> Mapping[str, Action]:
    """Every remediation, by name."""
    return _found("actions", Action)


@cache
def channels() -> Mapping[str, Channel]:
    """Every way to reach people, by name."""
    return _found("channels", Channel)


def _found(package: str, shape: type[Plugin]) -> dict[str, Plugin]:
    """The plugins of a package: modules that declare one object of that shape under the shape's name in capitals."""
    folder = importlib.import_module(f"incident_bot.{package}")
    names = sorted(m.name for m in pkgutil.iter_modules(folder.__path__) if not m.name.startswith("_"))
    return {name: _declared(f"{folder.__name__}.{name}", shape) for name in names}


def _declared(module: str, shape: type[Plugin]) -> Plugin:
    constant, name = shape.__name__.upper(), module.rpartition(".")[2]
    plugin = getattr(importlib.import_module(module), constant, None)
    if not isinstance(plugin, shape):
        raise Invalid(f"declares no {shape.__name__} named {constant}", where=module)
    if plugin.name != name:
        raise Invalid(f"its name is {plugin.name!r}, its file says {name!r}", where=module)
    return plugin

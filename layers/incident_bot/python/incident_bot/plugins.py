"""Discovery of sources, facts, actions and channels by place and type: one file, one plugin; a bad one fails loudly.

Only what is asked for is imported: of the four packages one, and for a webhook that one source's file.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from incident_bot.domain.errors import Invalid, NotFound

if TYPE_CHECKING:
    from incident_bot.actions import Action
    from incident_bot.channels import Channel
    from incident_bot.domain.custom import Custom
    from incident_bot.facts import Fact
    from incident_bot.sources import Source


NONE: Mapping[str, "Custom"] = MappingProxyType({})


def sources(custom: Mapping[str, "Custom"] = NONE) -> Mapping[str, "Source"]:
    """Every alert source, by name: those installed, and those that a team describes (`team.custom`)."""
    return {**_installed(), **{name: _described(description) for name, description in custom.items()}}


@cache
def _installed() -> Mapping[str, "Source"]:
    return _all("incident_bot.sources", "Source")


def _described(description: "Custom") -> "Source":
    from incident_bot.sources import _custom  # noqa: PLC0415 - as all plugins: only where it is asked for

    return _custom.source(description)


@cache
def facts() -> Mapping[str, "Fact"]:
    """Every enrichment provider, by name."""
    return _all("incident_bot.facts", "Fact")


@cache
def actions() -> Mapping[str, "Action"]:
    """Every remediation, by name."""
    return _all("incident_bot.actions", "Action")


@cache
def channels() -> Mapping[str, "Channel"]:
    """Every way to reach people, by name."""
    return _all("incident_bot.channels", "Channel")


def source(name: str, custom: Mapping[str, "Custom"] = NONE) -> "Source":
    """That source, without importing the others; NotFound where no file or description has that name (any text)."""
    if name in custom:
        return _described(custom[name])
    return _file(name)


@cache
def _file(name: str) -> "Source":
    if name not in names("incident_bot.sources"):
        raise NotFound("there is no source of that name")
    found: Source = declared(f"incident_bot.sources.{name}", "Source")
    return found


@cache
def names(package: str) -> tuple[str, ...]:
    """The names of a package's plugins: its files, but for those whose name begins with an underscore."""
    folder = importlib.import_module(package).__path__
    return tuple(sorted(module.name for module in pkgutil.iter_modules(folder) if not module.name.startswith("_")))


def declared(module: str, shape: str) -> Any:
    """The plugin that a module declares: an object of its package's `shape`, under that name in capitals."""
    package, _, name = module.rpartition(".")
    plugin = getattr(importlib.import_module(module), shape.upper(), None)
    if not isinstance(plugin, getattr(importlib.import_module(package), shape)):
        raise Invalid(f"declares no {shape} named {shape.upper()}", where=module)
    if plugin.name != name:
        raise Invalid(f"its name is {plugin.name!r}, its file says {name!r}", where=module)
    return plugin


def _all(package: str, shape: str) -> dict[str, Any]:
    return {name: declared(f"{package}.{name}", shape) for name in names(package)}

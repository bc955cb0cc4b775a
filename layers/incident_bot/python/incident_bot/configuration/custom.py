"""`custom:` in `sources.yaml`: sources described without code, or taken ready-made with `use:`; their examples hold."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path as FilePath
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

from incident_bot.configuration.document import read
from incident_bot.configuration.entries import listed, named
from incident_bot.configuration.problem import Flaw, Path, unknown
from incident_bot.domain.alert import Status
from incident_bot.domain.custom import Choice, Custom, Moment, Proof, Scheme
from incident_bot.domain.nearest import nearest
from incident_bot.payload import SEVERITIES
from incident_bot.sources import Example, Source
from incident_bot.sources import _custom as sources
from incident_bot.sources._examples import unmet

READY = FilePath(__file__).with_name("ready")
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
RESERVED = ("sns",)  # a webhook that is no source: topics that deliver over HTTPS
NEEDS: Mapping[Scheme, Collection[str]] = {
    Scheme.BEARER_OR_BASIC: (),
    Scheme.STANDARD_WEBHOOKS: (),
    Scheme.HEADER_TOKEN: ("header",),
    Scheme.HEADER_SIGNATURE: ("header", "prefix", "encoding", "timestamp_header"),
    Scheme.QUERY_TOKEN: ("parameter",),
}
REQUIRED = ("header", "parameter")
EXPRESSIONS = ("title", "alerts", "ignore", "service", "resource", "summary")
FUNCTIONS = tuple(Functions.FUNCTION_TABLE)


@dataclass(frozen=True, slots=True)
class Described:
    """A description and its examples, each with its index in the file."""

    custom: Custom
    examples: tuple[tuple[int, Example], ...] = ()

    @property
    def source(self) -> Source:
        """The source that it describes, with its examples."""
        return sources.source(self.custom, [example for _, example in self.examples])


@cache
def ready() -> Mapping[str, Described]:
    """Every ready-made description, by name."""
    flaws: list[Flaw] = []
    found = described({name: {"use": name} for name in _ready_names()}, flaws)
    assert not flaws, flaws  # noqa: S101 - they are ours, and tested
    return found


def described(raw: Any, flaws: list[Flaw]) -> dict[str, Described]:
    """The valid ones of the mapping under `custom:`, with `use:` filled in; their flaws are appended."""
    if not isinstance(raw, dict):
        named(Custom, raw, ("custom",), flaws)
        return {}
    bodies = {name: _spelled_out(body, ("custom", name), flaws) for name, body in raw.items()}
    examples: dict[str, list[tuple[int, Example]]] = {}
    for name, body in bodies.items():
        if isinstance(body, dict):
            body.pop("setup", None)  # what to tell the sender's owner: nothing to the product
            examples[name] = listed(Example, body.pop("examples", None), ("custom", name, "examples"), flaws)
    wrong: list[Flaw] = []
    found = named(Custom, bodies, ("custom",), wrong)
    flaws += [replace(flaw, path=_as_written(flaw.path, raw)) for flaw in wrong]
    return {name: Described(custom, tuple(examples[name])) for name, custom in found.items()}


def _as_written(path: Path, raw: dict[str, Any]) -> Path:
    """The path of a flaw in the file, where the only way in stands without a list."""
    name, rest = str(path[1]), path[2:]
    one = isinstance(raw[name], dict) and isinstance(raw[name].get("authentication"), dict)
    return (*path[:3], *rest[2:]) if one and rest[:2] == ("authentication", 0) else path


def _spelled_out(body: Any, path: Path, flaws: list[Flaw]) -> Any:
    """The entry with what it uses below what it says itself, and its one way in as a list of ways."""
    if not isinstance(body, dict):
        return body
    body = dict(body)
    if "use" in body:
        used = body.pop("use")
        if used not in _ready_names():
            flaws.append(unknown((*path, "use"), "ready-made source", str(used), _ready_names()))
        else:
            body = {**_without(tuple(body), read(READY / f"{used}.yaml").content), **body}
    if isinstance(body.get("authentication"), dict):
        body["authentication"] = [body["authentication"]]
    return body


def _without(replaced: Collection[str], used: dict[str, Any]) -> dict[str, Any]:
    """What is used, whose examples expect nothing of what the team says otherwise."""
    kept = [
        {**example, "expect": [{k: v for k, v in alert.items() if k not in replaced} for alert in example["expect"]]}
        for example in used["examples"]
    ]
    return {**used, "examples": kept}


@cache
def _ready_names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in READY.glob("*.yaml")))


def check(found: Mapping[str, Described], installed: Collection[str]) -> Iterator[Flaw]:
    """Each has a name of its own, expressions that compile, a way in that is whole, and examples that hold."""
    for name, one in found.items():
        path: Path = ("custom", name)
        if not NAME.fullmatch(name):
            yield Flaw(path, "must be lower case letters, digits and underscores, beginning with a letter")
        if name in installed or name in RESERVED:
            yield Flaw(path, "is the name of a source that exists")
        flaws = [*_ways_in(one.custom, path), *_expressions(one.custom, path), *_meanings(one.custom, path)]
        yield from flaws
        if not one.examples:
            yield Flaw(path, "has no examples: nothing shows that it reads what the sender sends")
        for index, example in () if flaws else one.examples:
            for why in unmet(one.source, example):
                yield Flaw((*path, "examples", index), f"{example.name}: {why}")


def _ways_in(custom: Custom, path: Path) -> Iterator[Flaw]:
    if not custom.authentication:
        yield Flaw((*path, "authentication"), "must name a scheme: anybody may reach the webhook")
    for index, proof in enumerate(custom.authentication):
        where = (*path, "authentication", index) if len(custom.authentication) > 1 else (*path, "authentication")
        for name in (field.name for field in fields(Proof) if field.name != "scheme"):
            given, needed = getattr(proof, name), name in NEEDS[proof.scheme]
            if needed and name in REQUIRED and not given:
                yield Flaw((*where, name), f"is missing: {proof.scheme} needs it")
            if not needed and given != Proof.__dataclass_fields__[name].default:
                yield Flaw((*where, name), f"means nothing to {proof.scheme}")


def _expressions(custom: Custom, path: Path) -> Iterator[Flaw]:
    """What is no JMESPath, and the functions that JMESPath does not have."""
    if not custom.identity:
        yield Flaw((*path, "identity"), "must name what tells one series from another")
    for place, expression in _each_expression(custom):
        if not expression and place in (("service",), ("resource",), ("summary",), ("ignore",)):
            continue
        try:
            parsed = jmespath.compile(expression).parsed
        except JMESPathError as wrong:
            yield Flaw((*path, *place), f"is not JMESPath: {_said(wrong)}")
            continue
        for name in _functions(parsed):
            if name not in FUNCTIONS:
                yield Flaw((*path, *place), f"JMESPath has no function {name!r}", nearest(name, FUNCTIONS))


def _each_expression(custom: Custom) -> Iterator[tuple[Path, str]]:
    for name in (field.name for field in fields(Custom)):
        value = getattr(custom, name)
        if isinstance(value, (Choice, Moment)):
            yield (name, "value"), value.value
        elif name in EXPRESSIONS:
            yield (name,), value
        elif isinstance(value, Mapping):
            yield from (((name, key), expression) for key, expression in value.items())


def _said(wrong: JMESPathError) -> str:
    position = getattr(wrong, "lex_position", None)
    said = str(getattr(wrong, "message", "") or getattr(wrong, "msg", "") or wrong).splitlines()[0]
    return f"{said} at character {position + 1}" if isinstance(position, int) else said


def _functions(node: Any) -> Iterator[str]:
    if isinstance(node, dict) and node.get("type") == "function_expression":
        yield str(node["value"])
    for child in node.get("children", ()) if isinstance(node, dict) else ():
        yield from _functions(child)


def _meanings(custom: Custom, path: Path) -> Iterator[Flaw]:
    statuses = [status.value for status in Status]
    for value, meaning in custom.status.means.items():
        if meaning not in statuses:
            yield Flaw((*path, "status", "means", value), f"{meaning!r} is no status", nearest(meaning, statuses))
    for value, meaning in custom.severity.means.items() if custom.severity else ():
        if meaning not in SEVERITIES:
            yield Flaw((*path, "severity", "means", value), f"{meaning!r} is no severity", nearest(meaning, SEVERITIES))

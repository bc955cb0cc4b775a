"""A source that a team described in its configuration: its expressions evaluated, and what they find read or refused.

The expressions are the team's own; what they find is anybody's, so it is bounded and refused like any other payload.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from incident_bot.authentication import (
    AnyOf,
    Authentication,
    BearerOrBasic,
    HeaderSignature,
    HeaderToken,
    QueryToken,
    StandardWebhooks,
)
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.custom import Body, Choice, Clock, Custom, Moment, Proof, Scheme
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import (
    LABELS,
    TEXT_BYTES,
    bounded,
    decode,
    form,
    kind,
    links,
    moment,
    plausible,
    prose,
    severity,
    shown,
)
from incident_bot.sources import Example, Parsed, Source, read_each

ANY = "*"
LONGEST = 500  # characters of a label: what is longer names nothing that a rule matches
ANY_JSON = ("application/json", "*+json")
TICKS = {Clock.SECONDS: 1, Clock.MILLISECONDS: 1000}  # of one second
FALSE: tuple[Any, ...] = ("", [], {})  # what JMESPath takes for false, beside false itself and null


def source(custom: Custom, examples: Sequence[Example] = ()) -> Source:
    """The source that a description describes."""
    is_form = custom.body is Body.FORM
    return Source(
        name=custom.name,
        reference=custom.reference,
        parse=partial(parse, custom),
        examples=tuple(examples),
        labels=tuple(custom.labels),
        authentication=authentication(custom.authentication),
        media_types=(*ANY_JSON, "application/x-www-form-urlencoded") if is_form else ANY_JSON,
        decode=form if is_form else decode,
        resolves=custom.resolves,
        repeats_within_seconds=custom.repeats_within_seconds,
        slow_seconds=custom.slow_seconds,
    )


def authentication(proofs: Sequence[Proof]) -> Authentication:
    """The scheme that was chosen, or any of them."""
    ways = [SCHEMES[proof.scheme](proof) for proof in proofs]
    return ways[0] if len(ways) == 1 else AnyOf(*ways)


SCHEMES: Mapping[Scheme, Callable[[Proof], Authentication]] = {
    Scheme.BEARER_OR_BASIC: lambda _: BearerOrBasic(),
    Scheme.STANDARD_WEBHOOKS: lambda _: StandardWebhooks(),
    Scheme.HEADER_TOKEN: lambda proof: HeaderToken(proof.header),
    Scheme.HEADER_SIGNATURE: lambda proof: HeaderSignature(
        proof.header, proof.prefix, proof.encoding.value, proof.timestamp_header
    ),
    Scheme.QUERY_TOKEN: lambda proof: QueryToken(proof.parameter),
}


def parse(custom: Custom, body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The alerts of a delivery; Unparseable names the field of the description that finds nothing, or nothing good."""
    if custom.ignore and _true(_found("ignore", custom.ignore, body)):
        return Parsed((), notes=(f"the description of {custom.name} ignores it",))
    found = _found("alerts", custom.alerts, body)
    if found is None:
        raise Unparseable(f"alerts ({shown(custom.alerts)}) finds nothing", field="alerts")
    if found == []:
        return Parsed((), notes=("it holds no alert",))
    items = found if isinstance(found, list) else [found]
    return read_each(items, partial(_alert, custom=custom, body=body, received_at=received_at))


def _alert(item: Mapping[str, Any], *, custom: Custom, body: Mapping[str, Any], received_at: datetime) -> Alert:
    seen = item if item is body else {"delivery": body, **item}
    status = _status(custom.status, seen)
    occurred_at = _moment("occurred_at", custom.occurred_at, seen, received_at)
    started_at = _moment("started_at", custom.started_at, seen, received_at)
    if occurred_at is None:  # a firing that is sent again says nothing new: it keeps the time of its start
        occurred_at = started_at if started_at and status is Status.FIRING else received_at
    title = _text("title", custom.title, seen, cut=True)
    if not title:
        raise Unparseable(f"title ({shown(custom.title)}) finds nothing", field="title")
    return Alert(
        source=custom.name,
        title=title,
        status=status,
        identity=_identity(custom.identity, seen),
        occurred_at=max(occurred_at, started_at or occurred_at),
        started_at=started_at or occurred_at,
        severity=_severity(custom.severity, seen),
        service=_text("service", custom.service, seen),
        resource=_text("resource", custom.resource, seen),
        summary=_text("summary", custom.summary, seen, cut=True),
        labels=_labels(custom.labels, seen),
        links=links(_short(_scalars("links", custom.links, seen), TEXT_BYTES)),
    )


def _status(choice: Choice, seen: Mapping[str, Any]) -> Status:
    found = _text("status", choice.value, seen)
    meant = _meant(choice, found)
    try:
        return Status(meant)
    except ValueError:
        said = f"is {shown(found)!r}, which means nothing" if found else "finds nothing"
        raise Unparseable(f"status ({shown(choice.value)}) {said}", field="status") from None


def _severity(choice: Choice | None, seen: Mapping[str, Any]) -> Severity | None:
    return severity(_meant(choice, _text("severity", choice.value, seen))) if choice else None


def _meant(choice: Choice, found: str) -> str:
    return choice.means.get(found, choice.means.get(ANY, "")) if choice.means else found


def _identity(expressions: Mapping[str, str], seen: Mapping[str, Any]) -> dict[str, str]:
    scalars = _scalars("identity", expressions, seen)
    missing = next((name for name in expressions if ANY not in name and name not in scalars), "")
    if missing:
        where = f"identity.{missing}"
        raise Unparseable(f"{where} ({shown(expressions[missing])}) finds nothing", field=where)
    if not 0 < len(scalars) <= LABELS:
        raise Unparseable(f"identity has {len(scalars)} entries: 1 to {LABELS} name a series", field="identity")
    return {bounded(name, "identity"): bounded(text, f"identity.{name}") for name, text in scalars.items()}


def _labels(expressions: Mapping[str, str], seen: Mapping[str, Any]) -> dict[str, str]:
    found = _short({name: text[:LONGEST] for name, text in _scalars("labels", expressions, seen).items()}, LONGEST)
    return dict(list(found.items())[:LABELS])


def _short(found: Mapping[str, str], longest: int) -> dict[str, str]:
    return {name: text for name, text in found.items() if max(len(name), len(text)) <= longest}


def _moment(name: str, described: Moment | None, seen: Mapping[str, Any], received_at: datetime) -> datetime | None:
    found = _text(name, described.value, seen) if described else ""
    if described is None or not found:
        return None
    if described.format is Clock.RFC3339:
        return moment({name: found}, name, received_at)
    try:
        at = datetime.fromtimestamp(float(found) / TICKS[described.format], UTC)
    except (ValueError, OverflowError, OSError):
        raise Unparseable(f"{name} is no number of {described.format}: {shown(found)}", field=name) from None
    return plausible(at, name, received_at)


def _scalars(field: str, expressions: Mapping[str, str], seen: Mapping[str, Any]) -> dict[str, str]:
    """Everything of a mapping that is a text or can be one, by its name; the rest is left out.

    An expression that fails costs a label or a link, but the alert where it names the series.
    """
    found: dict[str, str] = {}
    for name, expression in expressions.items():
        try:
            value = _found(f"{field}.{name}", expression, seen)
        except Unparseable:
            if field == "identity":
                raise
            continue
        entries = value.items() if ANY in name and isinstance(value, Mapping) else [("", value)]
        texts = ((name.replace(ANY, str(key)), _plain(entry)) for key, entry in entries)
        found |= {full: text for full, text in texts if full and text}
    return found


def _text(field: str, expression: str, seen: Mapping[str, Any], *, cut: bool = False) -> str:
    """What the expression finds as text, empty where it is nothing; Unparseable where it is too long, or no scalar."""
    value = _found(field, expression, seen) if expression else None
    text = _plain(value)
    if text is None:
        raise Unparseable(f"{field} ({shown(expression)}) is {kind(value)}, expected a text", field=field)
    return prose({field: text}, field) if cut else bounded(text, field)


def _plain(value: Any) -> str | None:
    """A scalar as text (a number like 3.0 as `3`); None where it is none."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, (int, float)) else None


def _true(value: Any) -> bool:
    return value is not None and value is not False and value not in FALSE


def _found(field: str, expression: str, document: Any) -> Any:
    try:
        return _compiled(expression).search(document)
    except Exception as wrong:  # noqa: BLE001 - whatever it is that a library stumbles over costs one alert, named
        reason = f"{field} ({shown(expression)}): {shown(str(wrong))}"
        raise Unparseable(reason, field=field) from None


@cache
def _compiled(expression: str) -> Any:
    import jmespath  # noqa: PLC0415 - a cold start of who reads no such alert does without it

    return jmespath.compile(expression)

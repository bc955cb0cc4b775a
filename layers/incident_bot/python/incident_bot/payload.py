"""Reading untrusted JSON: strict decoding under limits, and fields read or refused by name, never a stray exception."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from incident_bot.domain.alert import Severity
from incident_bot.domain.clock import instant
from incident_bot.domain.errors import Unparseable

BODY_BYTES = 1 << 20
ALERT_BYTES = 190_000
DEPTH = 32
LABELS = 64
FIELDS = 1000  # of a form
TEXT_BYTES = 2048
LARGEST = 2**63
DIGITS = 19  # of the largest signed 64-bit integer: nanoseconds since 1970 have as many

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # before it, a source's clock is not set or the field is a zero value
AHEAD = timedelta(days=1)  # a sender's clock may be wrong by hours, but a date of next year would outrank every resolve

SEVERITIES: Mapping[str, Severity] = {
    **dict.fromkeys(("sev1", "p1", "critical", "page", "fatal", "emergency", "disaster"), Severity.SEV1),
    **dict.fromkeys(("sev2", "p2", "high", "major", "error"), Severity.SEV2),
    **dict.fromkeys(("sev3", "p3", "warning", "warn", "medium", "moderate"), Severity.SEV3),
    **dict.fromkeys(("sev4", "p4", "low", "minor", "notice"), Severity.SEV4),
    **dict.fromkeys(("sev5", "p5", "info", "informational", "none", "debug"), Severity.SEV5),
}


def decode(body: bytes | str) -> Any:
    """The JSON value of the body; Unparseable where it is not exactly one reading of valid JSON within the limits."""
    if len(body) > BODY_BYTES:
        raise Unparseable(f"the body has {len(body)} bytes, at most {BODY_BYTES} are read")
    try:
        text = body.decode() if isinstance(body, bytes) else body
        document = STRICT(text)
    except UnicodeDecodeError as problem:
        raise Unparseable(f"the body is not UTF-8: byte {problem.start}") from None
    except json.JSONDecodeError as problem:
        raise Unparseable(f"the body is not JSON: {problem.msg} at character {problem.pos}") from None
    except RecursionError:
        raise Unparseable(f"the body is nested deeper than {DEPTH} levels") from None
    if text.count("{") + text.count("[") > DEPTH:
        _refuse_depth(document)
    if "\\ud" in text or "\\uD" in text or not (isinstance(body, bytes) or text.isascii()):
        _refuse_surrogates(document)
    return document


def form(body: bytes | str) -> Any:
    """The fields of a form (`application/x-www-form-urlencoded`) as an object of strings; a body in JSON is its JSON.

    Unparseable as for `decode`, and where a field occurs twice.
    """
    if not body or body[:1] in ("{", b"{") or len(body) > BODY_BYTES:
        return decode(body)
    try:
        content = body.decode() if isinstance(body, bytes) else body
        fields = _object(list(parse_qsl(content, keep_blank_values=True, errors="strict", max_num_fields=FIELDS)))
    except ValueError as problem:
        raise Unparseable(f"the body is no form of at most {FIELDS} fields in UTF-8: {problem}") from None
    _refuse_surrogates(fields)
    return fields


def text(value: Mapping[str, Any], name: str, *, path: str = "", required: bool = False) -> str:
    """The string under that name, empty where it is missing or null (unless `required`)."""
    found = value.get(name)
    if found is None or found == "":
        if required:
            raise Unparseable(f"{path}{name} is missing", field=f"{path}{name}")
        return ""
    if not isinstance(found, str):
        raise Unparseable(f"{path}{name} is {kind(found)}, expected a string", field=f"{path}{name}")
    return bounded(found, f"{path}{name}")


def bounded(found: str, path: str) -> str:
    """The string itself, where it is no longer than 2 KB."""
    if len(found) > TEXT_BYTES or (not found.isascii() and len(found.encode()) > TEXT_BYTES):
        path = shown(path)
        raise Unparseable(f"{path} is longer than {TEXT_BYTES} bytes", field=path)
    return found


def prose(value: Mapping[str, Any], name: str) -> str:
    """A string that its format allows to be long: cut instead of refused, empty where it is no string at all."""
    found = value.get(name)
    return (found if len(found) <= 500 else f"{found[:499]}\u2026") if isinstance(found, str) else ""


def mapping(value: Mapping[str, Any], name: str, *, required: bool = False) -> Mapping[str, Any]:
    """The object under that name, empty where it is missing or null (unless `required`)."""
    found = value.get(name)
    if found is None:
        if required:
            raise Unparseable(f"{name} is missing", field=name)
        return {}
    if not isinstance(found, (dict, Mapping)):  # a dict nearly always, which is told at once
        raise Unparseable(f"{name} is {kind(found)}, expected an object", field=name)
    return found


def strings(value: Mapping[str, Any], name: str) -> dict[str, str]:
    """The object of strings under that name: at most 64 of them, keys and values of at most 2 KB."""
    found = mapping(value, name)
    if len(found) > LABELS:
        raise Unparseable(f"{name} has {len(found)} entries, at most {LABELS} are read", field=name)
    try:
        harmless = len("".join(found)) + len("".join(found.values())) <= 512  # bytes: four for a character at most
    except TypeError:
        harmless = False
    if not harmless:
        _check_entries(found, name)
    return dict(found)


def _check_entries(found: Mapping[str, Any], name: str) -> None:
    for key, entry in found.items():
        bounded(key, f"{name}.{shown(key)}")
        if not isinstance(entry, str):
            path = f"{name}.{shown(key)}"
            raise Unparseable(f"{path} is {kind(entry)}, expected a string", field=path)
        bounded(entry, f"{name}.{key}")


def links(candidates: Mapping[str, str]) -> dict[str, str]:
    """Those that people may follow: anything but an http(s) URL is left out. Nothing here is ever fetched."""
    return {name: url for name, url in candidates.items() if url.startswith(("https://", "http://"))}


def moment(value: Mapping[str, Any], name: str, received_at: datetime) -> datetime | None:
    """The RFC 3339 time under that name (None where missing); refused before 2000 or more than a day ahead of now."""
    found = text(value, name)
    if not found:
        return None
    try:
        at = instant(found)
    except (ValueError, OverflowError):
        raise Unparseable(f"{name} is not a time with a UTC offset: {shown(found)}", field=name) from None
    return plausible(at, name, received_at)


def plausible(at: datetime, name: str, received_at: datetime) -> datetime:
    """The time itself, where no clock that is merely wrong by hours would explain another one."""
    if at < EARLIEST:
        raise Unparseable(f"{name} is before the year 2000: {at:%Y-%m-%dT%H:%M:%SZ}", field=name)
    if at > received_at + AHEAD:
        raise Unparseable(f"{name} is more than a day ahead of its arrival: {at:%Y-%m-%dT%H:%M:%SZ}", field=name)
    return at


def sized(value: Mapping[str, Any], known: frozenset[str]) -> None:
    """Refuse an alert over 190 KB; one whose every field is known is bounded by the limits of those fields."""
    if not value.keys() <= known and len(json.dumps(value)) > ALERT_BYTES:
        raise Unparseable(f"the alert is larger than {ALERT_BYTES} bytes")


def severity(word: str) -> Severity | None:
    """What the usual words for severity mean; None for an unusual one, so that rules and evidence decide alone."""
    return SEVERITIES.get(word.strip().lower())


def kind(value: Any) -> str:
    """What JSON calls it."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array"}
    return names.get(type(value), "an object")


def shown(foreign: str) -> str:
    """Foreign text as it may stand in a reason: short, on one line, nothing invisible in it."""
    short = foreign if len(foreign) <= 80 else f"{foreign[:79]}\u2026"
    return "".join(character if character.isprintable() else "\ufffd" for character in short)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise Unparseable(f"the key {shown(twice)} occurs twice in one object", field=shown(twice))
    return found


def _constant(name: str) -> NoReturn:
    raise Unparseable(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > DIGITS:
        raise Unparseable(f"a number has {len(digits)} digits, at most {DIGITS} are read")
    number = int(digits)
    if not -LARGEST <= number < LARGEST:
        raise Unparseable(f"the number {digits} is out of range")
    return number


def _number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Unparseable(f"the number {shown(digits)} is out of range")
    return number


def _refuse_depth(document: Any) -> None:
    level = [document]
    for _ in range(DEPTH):
        level = [
            child
            for value in level
            for child in (value.values() if isinstance(value, dict) else value)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return
    raise Unparseable(f"the body is nested deeper than {DEPTH} levels")


def _refuse_surrogates(document: Any) -> None:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Unparseable("a string holds half of a surrogate pair, which is no character") from None


STRICT = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_number
).decode

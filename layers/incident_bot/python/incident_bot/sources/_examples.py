"""What of an example does not hold: a source's own examples are its test, in the repository and in a configuration."""

from collections.abc import Iterator, Mapping
from typing import Any

from incident_bot.domain.alert import Severity
from incident_bot.domain.clock import instant
from incident_bot.domain.errors import Unparseable
from incident_bot.domain.shape import dump
from incident_bot.sources import Example, Source, read


def unmet(source: Source, example: Example) -> Iterator[str]:
    """One sentence for each thing that it does not parse to although it should."""
    try:
        parsed = read(source, example.body, instant(example.received_at))
    except Unparseable as refusal:
        yield f"the delivery is refused: {refusal.reason}"
        return
    rejected = tuple(rejection.field for rejection in parsed.rejected)
    if rejected != example.rejects:
        reasons = "; ".join(rejection.reason for rejection in parsed.rejected)
        yield f"rejects {list(rejected)}, not {list(example.rejects)}{f': {reasons}' if reasons else ''}"
    if len(parsed.alerts) != len(example.expect):
        yield f"has {len(parsed.alerts)} alerts, not {len(example.expect)}"
        return
    for index, (alert, expected) in enumerate(zip(dump(parsed.alerts), example.expect, strict=True)):
        for name, value in expected.items():
            if name not in alert:
                yield f"alert {index} has no {name}: it has {', '.join(alert)}"
            elif not _holds(name, value, alert[name]):
                yield f"alert {index}: {name} is {alert[name]!r}, not {value!r}"


def _holds(name: str, expected: Any, found: Any) -> bool:
    """Whether what is expected is there; an expected mapping names some entries of the one that is found."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        return all(key in found and _holds(key, value, found[key]) for key, value in expected.items())
    if name == "severity" and isinstance(expected, str):
        return found is not None and Severity(found).label == expected
    if name.endswith("_at") and isinstance(expected, str) and isinstance(found, str):
        return _same_time(expected, found)
    return bool(expected == found)


def _same_time(expected: str, found: str) -> bool:
    try:
        return instant(expected) == instant(found)
    except ValueError:
        return False

"""Do the published schema of the generic alert and its parser agree on what is an alert?"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from incident_bot.domain.clock import instant
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import SEVERITIES
from incident_bot.sources import read
from incident_bot.sources.generic import KNOWN, SOURCE

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "generic-alert.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
NOW = instant("2026-01-15T10:05:00Z")

wrong: st.SearchStrategy[Any] = st.sampled_from([None, "", 7, True, [], {}, ["x"], "x" * 2048, "x" * 2049])
texts = st.text("abc", max_size=3) | wrong
strings = st.dictionaries(st.text("abc", max_size=3), st.text("abc", max_size=3), max_size=3) | wrong
many = st.integers(63, 66).map(lambda number: {f"l{i}": "v" for i in range(number)})
times = st.sampled_from(["2026-01-15T10:00:00Z", "2026-01-15T10:00:00.5+05:30", "noon", "2026-01-15T10:00:00"]) | wrong
alerts = st.fixed_dictionaries(
    {},
    optional={
        "title": texts,
        "status": st.sampled_from(["firing", "resolved"]) | texts,
        "key": texts,
        "service": texts,
        "resource": texts,
        "severity": st.sampled_from(["SEV1", "p5", "critical", "purple", "sev6"]) | texts,
        "started_at": times,
        "occurred_at": times,
        "summary": texts,
        "labels": strings | many,
        "links": strings | many,
        "extra": wrong,
    },
)


def parses(document: Any) -> bool:
    try:
        parsed = read(SOURCE, document, NOW)
    except Unparseable:
        return False
    return bool(parsed.alerts) and not parsed.rejected


def in_lower_case(alert: Any) -> Any:
    """The one thing in which the parser is more generous than the schema can say: the case of a severity."""
    if isinstance(alert, dict) and isinstance(alert.get("severity"), str):
        return {**alert, "severity": alert["severity"].lower()}
    return alert


@given(alerts)
@example({"title": "late", "status": "firing"})
@example({"title": "x" * 2048, "status": "firing"})
@example({"title": "x" * 2049, "status": "firing"})
@example({"title": "late", "status": "firing", "labels": {f"l{i}": "v" for i in range(64)}})
@example({"title": "late", "status": "firing", "labels": {f"l{i}": "v" for i in range(65)}})
@example({"title": "late", "status": "firing", "labels": {"l" * 2048: "v" * 2048}})
@example({"title": "late", "status": "firing", "labels": {"l" * 2049: "v"}})
@example({"title": "late", "status": "firing", "links": {"l": "v" * 2049}})
@example({"title": "late", "status": "firing", "started_at": "2026-01-15"})
def test_an_alert_is_valid_for_both_or_for_neither(alert: dict[str, Any]) -> None:
    assert VALIDATOR.is_valid(in_lower_case(alert)) == parses(alert)


@given(st.lists(alerts, max_size=3) | wrong)
@example([{"title": "late", "status": "firing"}])
def test_so_is_a_delivery_of_several(several: Any) -> None:
    lower = [in_lower_case(alert) for alert in several] if isinstance(several, list) else several

    assert VALIDATOR.is_valid({"alerts": lower}) == parses({"alerts": several})


@pytest.mark.parametrize("payload", [e for e in SOURCE.examples if not e.rejects], ids=lambda e: e.name)
def test_the_examples_are_valid(payload: Any) -> None:
    VALIDATOR.validate(payload.body)


def test_every_field_that_is_read_is_published_and_described() -> None:
    fields = SCHEMA["$defs"]["alert"]["properties"]

    assert set(fields) == KNOWN
    assert [name for name, field in fields.items() if "description" not in field] == []


def test_exactly_the_words_for_severity_that_are_known_are_published() -> None:
    published = SCHEMA["$defs"]["alert"]["properties"]["severity"]["enum"]

    assert {word for word in published if word} == set(SEVERITIES)

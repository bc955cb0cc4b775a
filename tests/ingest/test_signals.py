"""Do alerts survive the way into the queue's messages: whole, in order, once, and each message within its limit?"""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.shape import dump, load
from incident_bot.ingest.signals import MESSAGE_BYTES, packed, sort_out
from incident_bot.payload import ALERT_BYTES
from incident_bot.sources import Parsed, Rejection
from incident_bot.virtual.clock import T0
from tests.building import an_alert

HUGE = an_alert(labels={f"l{i}": "x" * 2048 for i in range(64)} | {f"l{i}" + "y" * 2000: "x" * 2000 for i in range(32)})


def numbered(lengths: list[int]) -> Parsed:
    numbers = count()
    return Parsed(tuple(an_alert(identity={"n": str(next(numbers))}, summary="x" * length) for length in lengths))


def test_an_alert_is_serialised_field_by_field_as_dump_says() -> None:
    for alert in (an_alert(), an_alert(severity=None, status=Status.UNKNOWN, links={"a": "https://b"}, ask="arn")):
        (text,) = sort_out(Parsed((alert,))).alerts

        assert json.loads(text) == dump(alert)
        assert load(Alert, json.loads(text)) == alert


@given(st.lists(st.integers(0, 100_000), max_size=8))
def test_messages_stay_within_their_limit_and_hold_every_alert_in_order(lengths: list[int]) -> None:
    parsed = numbered(lengths)

    messages = packed("generic", "d", T0, sort_out(parsed).alerts)

    assert all(len(message.encode()) <= MESSAGE_BYTES for message in messages)
    documents = [json.loads(message) for message in messages]
    assert [load(Alert, alert) for document in documents for alert in document["alerts"]] == list(parsed.alerts)
    assert all(document["source"] == "generic" and document["alerts"] for document in documents)


def test_a_message_is_full_to_the_last_byte_and_no_further() -> None:
    for length in range(66_500, 66_700):
        first, *_ = packed("generic", "d", T0, ["x" * length] * 3)

        assert len(first) <= MESSAGE_BYTES
        assert ("x" * length + "," + "x" * length) in first, "two of them always fit"


def test_repeats_of_one_change_are_counted_and_sent_once() -> None:
    alert = an_alert()
    again, worse = replace(alert, summary="again"), replace(alert, severity=Severity.SEV1)
    later, resolved = replace(alert, occurred_at=T0 + timedelta(1)), replace(alert, status=Status.RESOLVED)

    found = sort_out(Parsed((alert, again, worse, later, resolved, later)))

    assert (found.accepted, found.duplicates, found.rejected) == (4, 2, ())


def test_an_alert_that_no_message_could_hold_is_rejected_at_its_place() -> None:
    alerts = (HUGE, replace(HUGE, labels={}), an_alert(identity={"n": "2"}))
    parsed = Parsed(alerts, (Rejection(0, "title", "title is missing"),))

    found = sort_out(parsed)

    assert [(rejection.index, rejection.field) for rejection in found.rejected] == [(0, "title"), (1, "")]
    assert f"larger than {ALERT_BYTES}" in found.rejected[1].reason
    assert (found.accepted, found.duplicates) == (2, 0), "what is rejected is not repeated by what is accepted"

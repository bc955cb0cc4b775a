"""CloudWatch Synthetics: canaries whose runs fail, and canaries that cannot run at all.

A failed run fires for its canary and the next that passes resolves it; so does a canary in the state ERROR until it is
RUNNING again. The service delivers its events as best it can: a run that is not told is followed by the next one.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Status
from incident_bot.payload import mapping, prose, shown, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import Event, opened, recognises, sent
from incident_bot.sources._fields import labelled, milliseconds

FAILED, PASSED = "Synthetics Canary TestRun Failure", "Synthetics Canary TestRun Successful"
CHANGED = "Synthetics Canary Status Change"
STATES = {"ERROR": Status.FIRING, "RUNNING": Status.RESOLVED}
NOTHING = ("", "null", "NULL")  # how it says that there is nothing to say

recognise = recognises("aws.synthetics", FAILED, PASSED, CHANGED)


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """One alert about the canary's runs or about its state; none for states that are neither ERROR nor RUNNING."""
    event = opened(body, received_at)
    if event.kind == CHANGED:
        state = text(event.detail, "current-state", required=True, path="detail.")
        if state not in STATES:
            return Parsed((), notes=(f"a state of no interest: {shown(state)}",))
        at, why = _seconds(event.detail, "updated-on", received_at), prose(event.detail, "message")
        return Parsed((_alert(event, "state", STATES[state], said=f"is {state}", why=why, at=at),))
    at = _seconds(mapping(event.detail, "canary-run-timeline"), "completed", received_at)
    why = prose(event.detail, "state-reason").strip('"\\ ')
    if event.kind == FAILED:
        return Parsed((_alert(event, "runs", Status.FIRING, said="fails", why=why, at=at),))
    return Parsed((_alert(event, "runs", Status.RESOLVED, said="passed", why=why, at=at),))


def _seconds(value: Mapping[str, Any], name: str, received_at: datetime) -> datetime | None:
    """The time in seconds since 1970; None where it is no number."""
    found = value.get(name)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    return milliseconds({name: found * 1000}, name, received_at, path="detail.")


def _alert(event: Event, about: str, status: Status, *, said: str, why: str, at: datetime | None) -> Alert:
    canary = text(event.detail, "canary-name", required=True, path="detail.")
    arn = f"arn:{event.partition}:synthetics:{event.region}:{event.account}:canary:{canary}"
    return Alert(
        source="synthetics",
        title=f"Canary {canary} {said}",
        status=status,
        identity={"canary": arn, "about": about},
        occurred_at=at or event.at,
        started_at=at or event.at,
        service=canary,
        resource=arn,
        summary="" if why in NOTHING else why,
        labels=labelled(canary=canary, about=about, run=event.detail.get("canary-run-id"), **event.place),
        links=console_links(
            event.partition,
            event.region,
            f"cloudwatch/home?region={event.region}#synthetics:canary/detail/{quote(canary, safe='')}",
        ),
    )


_ARN = "arn:aws:synthetics:eu-central-1:111122223333:canary:buy-a-book"
_RUN: Mapping[str, Any] = {
    "account-id": "111122223333",
    "canary-id": "1f0d2f5c-8d0a-4b0f-92a1-6c1f7d9e0b42",
    "canary-name": "buy-a-book",
    "canary-run-id": "0a6c0b52-7f4f-4b0e-8f6f-2f4d9f1b7c33",
    "artifact-location": "cw-syn-results-111122223333-eu-central-1/canary/eu-central-1/buy-a-book/2026/01/15/09/59-41",
    "test-run-status": "FAILED",
    "state-reason": '"Error: the basket is empty"',
    "canary-run-timeline": {"started": 1768471181, "completed": 1768471202},
    "message": "Test run result is generated successfully",
}
_STATE: Mapping[str, Any] = {
    "account-id": "111122223333",
    "canary-id": "1f0d2f5c-8d0a-4b0f-92a1-6c1f7d9e0b42",
    "canary-name": "buy-a-book",
    "current-state": "ERROR",
    "previous-state": "STARTING",
    "source-location": "NULL",
    "updated-on": 1768471202.125,
    "changed-config": {"vpcId": {"current-value": "NULL"}},
    "message": "Canary status has changed",
}

SOURCE = Source(
    name="synthetics",
    reference="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/monitoring-events-eventbridge.html",
    parse=parse,
    labels=("canary", "about", "run", "account", "region"),
    recognise=recognise,
    event_patterns=(
        {"source": ["aws.synthetics"], "detail-type": [FAILED, PASSED]},
        {"source": ["aws.synthetics"], "detail-type": [CHANGED], "detail": {"current-state": list(STATES)}},
    ),
    repeats_within_seconds=3900,  # canaries run at least once an hour, unless their schedule is a cron expression
    slow_seconds=300,  # and every five minutes as they are usually set up
    examples=(
        Example(
            "a run failed",
            sent("aws.synthetics", FAILED, _RUN),
            (
                {
                    "title": "Canary buy-a-book fails",
                    "status": "firing",
                    "identity": {"canary": _ARN, "about": "runs"},
                    "resource": _ARN,
                    "occurred_at": "2026-01-15T10:00:02.000000Z",
                    "summary": "Error: the basket is empty",
                },
            ),
        ),
        Example(
            "the next one passed",
            sent(
                "aws.synthetics",
                PASSED,
                {
                    **_RUN,
                    "test-run-status": "PASSED",
                    "state-reason": "null",
                    "canary-run-timeline": {"started": 1768471421, "completed": 1768471440},
                },
            ),
            (
                {
                    "status": "resolved",
                    "identity": {"canary": _ARN, "about": "runs"},
                    "occurred_at": "2026-01-15T10:04:00.000000Z",
                    "summary": "",
                },
            ),
        ),
        Example(
            "one failed, and little is known of it",
            sent("aws.synthetics", FAILED, {"canary-name": "buy-a-book"}),
            ({"status": "firing", "occurred_at": "2026-01-15T10:00:03.000000Z", "summary": ""},),
        ),
        Example(
            "the canary cannot run",
            sent("aws.synthetics", CHANGED, _STATE),
            (
                {
                    "title": "Canary buy-a-book is ERROR",
                    "status": "firing",
                    "identity": {"canary": _ARN, "about": "state"},
                    "occurred_at": "2026-01-15T10:00:02.125000Z",
                },
            ),
        ),
        Example(
            "it runs again",
            sent("aws.synthetics", CHANGED, {**_STATE, "current-state": "RUNNING", "updated-on": None}),
            ({"status": "resolved", "identity": {"canary": _ARN, "about": "state"}},),
        ),
        Example("it is only stopping", sent("aws.synthetics", CHANGED, {**_STATE, "current-state": "STOPPING"}), ()),
    ),
)

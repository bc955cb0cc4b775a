"""Step Functions: an execution that fails, times out or is aborted fires for its machine, a success resolves."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import prose, shown, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import Event, opened, recognises, sent
from incident_bot.sources._fields import labelled, milliseconds

CHANGE = "Step Functions Execution Status Change"
ENDS = {
    "FAILED": (Status.FIRING, "failed"),
    "TIMED_OUT": (Status.FIRING, "timed out"),
    "ABORTED": (Status.FIRING, "was aborted"),
    "SUCCEEDED": (Status.RESOLVED, "succeeded"),
}
NOT_ENDED = ("RUNNING", "PENDING_REDRIVE")


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """One alert about the machine, none where the execution has not ended."""
    event = opened(body, received_at)
    status = text(event.detail, "status", required=True, path="detail.")
    if status in NOT_ENDED:
        return Parsed((), notes=(f"the execution has not ended: {status}",))
    if status not in ENDS:
        raise Unparseable(f"detail.status is none of {', '.join(ENDS)}: {shown(status)!r}", field="detail.status")
    return Parsed((_alert(event, status, received_at),))


def _alert(event: Event, ended: str, received_at: datetime) -> Alert:
    detail = event.detail
    machine = text(detail, "stateMachineArn", required=True, path="detail.")
    parts = machine.split(":", 6)
    if len(parts) != 7 or parts[2] != "states":
        raise Unparseable(f"detail.stateMachineArn is no ARN: {shown(machine)}", field="detail.stateMachineArn")
    _, partition, _, region, account, _, name = parts
    status, verb = ENDS[ended]
    error, execution = prose(detail, "error"), prose(detail, "name")
    ended_at = milliseconds(detail, "stopDate", received_at, path="detail.") or event.at
    arn = text(detail, "executionArn", path="detail.")
    return Alert(
        source="step_functions",
        title=f"Executions of {name} fail" if status is Status.FIRING else f"An execution of {name} succeeded",
        status=status,
        identity={"stateMachineArn": machine},
        occurred_at=ended_at,
        started_at=ended_at,
        resource=machine,
        summary=": ".join(part for part in (f"Execution {execution} {verb}", error, prose(detail, "cause")) if part),
        labels=labelled(machine=name, execution=execution, status=ended, error=error, account=account, region=region),
        links=console_links(partition, region, f"states/home?region={region}#/v2/executions/details/{arn}")
        if arn
        else {},
    )


_MACHINE = "arn:aws:states:eu-central-1:111122223333:stateMachine:nightly-invoices"
_DETAIL: Mapping[str, Any] = {
    "executionArn": "arn:aws:states:eu-central-1:111122223333:execution:nightly-invoices:2026-01-15",
    "stateMachineArn": _MACHINE,
    "name": "2026-01-15",
    "status": "FAILED",
    "startDate": 1768471200000,
    "stopDate": 1768471203125,
    "input": "{}",
    "inputDetails": {"included": True},
    "output": None,
    "error": "States.TaskFailed",
    "cause": "The ledger did not answer",
}


def _event(**changes: Any) -> Mapping[str, Any]:
    return sent("aws.states", CHANGE, {**_DETAIL, **changes}, _DETAIL["executionArn"])


SOURCE = Source(
    name="step_functions",
    reference="https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html",
    parse=parse,
    labels=("machine", "execution", "status", "error", "account", "region"),
    recognise=recognises("aws.states", CHANGE),
    event_patterns=({"source": ["aws.states"], "detail-type": [CHANGE], "detail": {"status": list(ENDS)}},),
    examples=(
        Example(
            "an execution failed",
            _event(),
            (
                {
                    "title": "Executions of nightly-invoices fail",
                    "status": "firing",
                    "identity": {"stateMachineArn": _MACHINE},
                    "resource": _MACHINE,
                    "occurred_at": "2026-01-15T10:00:03.125000Z",
                    "summary": "Execution 2026-01-15 failed: States.TaskFailed: The ledger did not answer",
                    "labels": {"error": "States.TaskFailed", "machine": "nightly-invoices"},
                },
            ),
        ),
        Example(
            "the next one succeeded",
            _event(status="SUCCEEDED", error=None, cause=None, stopDate=1768471440000),
            (
                {
                    "status": "resolved",
                    "identity": {"stateMachineArn": _MACHINE},
                    "occurred_at": "2026-01-15T10:04:00.000000Z",
                },
            ),
        ),
        Example(
            "one timed out with a cause of 30,000 characters and no stopDate",
            _event(status="TIMED_OUT", stopDate=None, cause="x" * 30_000, error=None),
            ({"status": "firing", "occurred_at": "2026-01-15T10:00:03.000000Z", "labels": {"status": "TIMED_OUT"}},),
        ),
        Example("one has only started", _event(status="RUNNING", stopDate=None), ()),
    ),
)

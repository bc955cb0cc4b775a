"""CodeDeploy: a deployment that fails or is stopped fires for its deployment group, the next success resolves.

The success of an automatic rollback is one too: what runs then is whole again. A group without another deployment ends
by staleness. Deployments arrive as EventBridge events and from the deployment group's own triggers by SNS; both name
the same series.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.deploys import Change
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import mapping, moment, plausible, prose, shown, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import Event, opened, recognises, sent
from incident_bot.sources._fields import labelled

CHANGE = "CodeDeploy Deployment State-change Notification"
ENDS = {
    "FAILURE": (Status.FIRING, "failed"),
    "STOP": (Status.FIRING, "was stopped"),
    "SUCCESS": (Status.RESOLVED, "succeeded"),
}
WORDS = {"FAILED": "FAILURE", "STOPPED": "STOP", "SUCCEEDED": "SUCCESS"}  # how a trigger says it
BEGUN = ("START", "CREATED", "INPROGRESS")
NOT_ENDED = ("START", "READY", "CREATED", "QUEUED", "INPROGRESS", "BAKING")

_of_eventbridge = recognises("aws.codedeploy", CHANGE)


def recognise(envelope: Mapping[str, Any]) -> bool:
    """A state change of a deployment by EventBridge, or any notification of a trigger."""
    message = envelope.get("Message")
    if isinstance(message, Mapping):
        return "eventTriggerName" in message and "deploymentId" in message
    return _of_eventbridge(envelope)


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """One alert about the deployment group; none where the deployment goes on, or a trigger tells of one instance."""
    if "Message" not in body:
        return _told(opened(body, received_at), body)
    message = mapping(body, "Message")
    if "instanceStatus" in message:
        return Parsed((), notes=("one instance of a deployment; the deployment itself is told when it ends",))
    return _told(_of_trigger(body, message, received_at), message)


def _of_trigger(envelope: Mapping[str, Any], message: Mapping[str, Any], received_at: datetime) -> Event:
    """A trigger's message as EventBridge would have told it."""
    at = _seconds(message, "completeTime", received_at) or moment(envelope, "Timestamp", received_at)
    if at is None:
        raise Unparseable("completeTime is missing", field="completeTime")
    detail = {
        "application": message.get("applicationName"),
        "deploymentGroup": message.get("deploymentGroupName"),
        "deploymentId": message.get("deploymentId"),
        "state": message.get("status"),
    }
    account, region = text(message, "accountId", required=True), text(message, "region", required=True)
    return Event(account, region, at, CHANGE, (), detail)


def _seconds(message: Mapping[str, Any], name: str, received_at: datetime) -> datetime | None:
    """The time in seconds since 1970, written as a string; None where it is anything else."""
    try:
        at = datetime.fromtimestamp(float(text(message, name)), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return plausible(at, name, received_at)


def _told(event: Event, told: Mapping[str, Any]) -> Parsed:
    said = text(event.detail, "state", required=True, path="detail.").upper()
    state = WORDS.get(said, said)
    if state in NOT_ENDED:
        begun = (_change(event, state),) if state in BEGUN else ()
        return Parsed((), notes=(f"the deployment has not ended: {state}",), changes=begun)
    if state not in ENDS:
        raise Unparseable(f"detail.state is none of {', '.join(ENDS)}: {shown(said)!r}", field="detail.state")
    return Parsed((_alert(event, state, mapping(told, "errorInformation")),), changes=(_change(event, state),))


def _change(event: Event, state: str) -> Change:
    """That the deployment began, or how it ended."""
    application = text(event.detail, "application", required=True, path="detail.")
    deployment = text(event.detail, "deploymentId", required=True, path="detail.")
    failed = state in ENDS and ENDS[state][0] is Status.FIRING
    return Change("codedeploy", deployment, application, event.at, state in ENDS, failed, version=deployment)


def _alert(event: Event, state: str, error: Mapping[str, Any]) -> Alert:
    application = text(event.detail, "application", required=True, path="detail.")
    group = text(event.detail, "deploymentGroup", required=True, path="detail.")
    deployment = text(event.detail, "deploymentId", required=True, path="detail.")
    status, verb = ENDS[state]
    code = prose(error, "ErrorCode")
    return Alert(
        source="codedeploy",
        title=f"Deployment of {application} to {group} {verb}",
        status=status,
        identity={**event.place, "application": application, "deploymentGroup": group},
        occurred_at=event.at,
        started_at=event.at,
        service=application,
        resource=f"arn:{event.partition}:codedeploy:{event.region}:{event.account}"
        f":deploymentgroup:{application}/{group}",
        summary=": ".join(
            part for part in (f"Deployment {deployment} {verb}", code, prose(error, "ErrorMessage")) if part
        ),
        labels=labelled(
            application=application,
            deployment_group=group,
            deployment=deployment,
            change=deployment,
            state=state,
            error=code,
            **event.place,
        ),
        links=console_links(event.partition, event.region, _page(deployment, event.region)),
    )


def _page(deployment: str, region: str) -> str:
    return f"codesuite/codedeploy/deployments/{quote(deployment, safe='')}?region={region}"


_IDENTITY = {
    "account": "111122223333",
    "region": "eu-central-1",
    "application": "checkout",
    "deploymentGroup": "production",
}


def _event(state: str, **changes: Any) -> Mapping[str, Any]:
    detail = {
        "instanceGroupId": "9f0d3a52-5ac9-4f0e-8f5d-6d0a4f8e2c11",
        "region": "eu-central-1",
        "application": "checkout",
        "deploymentId": "d-4QWERTY12",
        "state": state,
        "deploymentGroup": "production",
    }
    return sent("aws.codedeploy", CHANGE, detail, **changes)


def _trigger(**changes: Any) -> Mapping[str, Any]:
    message = {
        "region": "eu-central-1",
        "accountId": "111122223333",
        "eventTriggerName": "tell-incident-bot",
        "applicationName": "checkout",
        "deploymentId": "d-4QWERTY12",
        "deploymentGroupName": "production",
        "createTime": "1768471080.000",
        "completeTime": "1768471203.125",
        "deploymentOverview": {"Failed": "2", "InProgress": "0", "Pending": "0", "Skipped": "1", "Succeeded": "0"},
        "status": "Failed",
        "errorInformation": {"ErrorCode": "HEALTH_CONSTRAINTS", "ErrorMessage": "Too few healthy instances are left"},
        **changes,
    }
    return {
        "Type": "Notification",
        "MessageId": "6f5b9a1c-2f0e-5a39-9d3a-c1f3a0f9b7e2",
        "TopicArn": "arn:aws:sns:eu-central-1:111122223333:alarms",
        "Timestamp": "2026-01-15T10:00:03.500Z",
        "Message": {name: value for name, value in message.items() if value is not None},
    }


SOURCE = Source(
    name="codedeploy",
    reference="https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html",
    parse=parse,
    labels=("application", "deployment_group", "deployment", "change", "state", "error", "account", "region"),
    recognise=recognise,
    event_patterns=({"source": ["aws.codedeploy"], "detail-type": [CHANGE], "detail": {"state": [*ENDS, "START"]}},),
    examples=(
        Example(
            "a deployment failed",
            _event("FAILURE"),
            (
                {
                    "title": "Deployment of checkout to production failed",
                    "status": "firing",
                    "identity": _IDENTITY,
                    "service": "checkout",
                    "resource": "arn:aws:codedeploy:eu-central-1:111122223333:deploymentgroup:checkout/production",
                    "occurred_at": "2026-01-15T10:00:03.000000Z",
                    "labels": {"change": "d-4QWERTY12"},
                },
            ),
        ),
        Example(
            "the same by the group's trigger, which also says why",
            _trigger(),
            (
                {
                    "status": "firing",
                    "identity": _IDENTITY,
                    "occurred_at": "2026-01-15T10:00:03.125000Z",
                    "summary": "Deployment d-4QWERTY12 failed: HEALTH_CONSTRAINTS: Too few healthy instances are left",
                    "labels": {"error": "HEALTH_CONSTRAINTS", "state": "FAILURE"},
                },
            ),
        ),
        Example(
            "the next one succeeded",
            _event("SUCCESS", time="2026-01-15T10:04:00Z"),
            ({"status": "resolved", "identity": _IDENTITY, "occurred_at": "2026-01-15T10:04:00.000000Z"},),
        ),
        Example(
            "one was stopped, by a trigger that writes a date and no error",
            _trigger(status="Stopped", completeTime="Thu Jan 15 10:00:03 UTC 2026", errorInformation=None),
            (
                {
                    "title": "Deployment of checkout to production was stopped",
                    "status": "firing",
                    "occurred_at": "2026-01-15T10:00:03.500000Z",
                },
            ),
        ),
        Example("one has only begun", _event("START"), ()),
        Example("one instance of it failed", _trigger(instanceStatus="Failed", status=None), ()),
    ),
)

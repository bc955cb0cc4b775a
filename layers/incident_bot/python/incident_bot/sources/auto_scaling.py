"""EC2 Auto Scaling: instances that cannot be launched or terminated, and instance refreshes that fail.

A group has one series for each of the three: a failure fires it, the next success of its kind resolves it. A group that
gives up trying ends by staleness. The group's own notifications by SNS tell of launches and terminations too.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import mapping, moment, prose, shown, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import Event, opened, recognises, sent
from incident_bot.sources._fields import labelled

REFRESH = "EC2 Auto Scaling Instance Refresh"
KINDS = {  # what each detail-type says: of which series, what, and how people say it
    "EC2 Instance Launch Unsuccessful": ("launch", Status.FIRING, "cannot launch instances"),
    "EC2 Instance Launch Successful": ("launch", Status.RESOLVED, "launched an instance"),
    "EC2 Instance Terminate Unsuccessful": ("terminate", Status.FIRING, "cannot terminate instances"),
    "EC2 Instance Terminate Successful": ("terminate", Status.RESOLVED, "terminated an instance"),
    f"{REFRESH} Failed": ("refresh", Status.FIRING, "failed to refresh its instances"),
    f"{REFRESH} Rollback Failed": ("refresh", Status.FIRING, "failed to roll its instance refresh back"),
    f"{REFRESH} Rollback Succeeded": ("refresh", Status.RESOLVED, "rolled its instance refresh back"),
    f"{REFRESH} Succeeded": ("refresh", Status.RESOLVED, "refreshed its instances"),
}
NOTIFIED = {  # what the group's own notifications call it
    "autoscaling:EC2_INSTANCE_LAUNCH_ERROR": "EC2 Instance Launch Unsuccessful",
    "autoscaling:EC2_INSTANCE_LAUNCH": "EC2 Instance Launch Successful",
    "autoscaling:EC2_INSTANCE_TERMINATE_ERROR": "EC2 Instance Terminate Unsuccessful",
    "autoscaling:EC2_INSTANCE_TERMINATE": "EC2 Instance Terminate Successful",
}
TEST = "autoscaling:TEST_NOTIFICATION"  # sent once to each topic that is set up

_of_eventbridge = recognises("aws.autoscaling", *KINDS)


def recognise(envelope: Mapping[str, Any]) -> bool:
    """One of those events, or a notification of the group's own."""
    message = envelope.get("Message")
    if isinstance(message, Mapping):
        return str(message.get("Event")).startswith("autoscaling:") and "AutoScalingGroupName" in message
    return _of_eventbridge(envelope)


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """One alert about the group; none for the notification that only tests its topic."""
    message = mapping(body, "Message")
    if message.get("Event") == TEST:
        return Parsed((), notes=("a test of the notification's topic",))
    event = _notified(message, received_at) if message else opened(body, received_at)
    if event.kind not in KINDS:
        raise Unparseable(f"the kind is none of {', '.join(KINDS)}: {shown(event.kind)!r}", field="detail-type")
    return Parsed((_alert(event, received_at),))


def _notified(message: Mapping[str, Any], received_at: datetime) -> Event:
    """The group's own notification as EventBridge would have told it."""
    name, arn = text(message, "Event", required=True), text(message, "AutoScalingGroupARN", required=True)
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "autoscaling":
        raise Unparseable(f"AutoScalingGroupARN is no ARN: {shown(arn)}", field="AutoScalingGroupARN")
    at = moment(message, "Time", received_at)
    if at is None:
        raise Unparseable("Time is missing", field="Time")
    return Event(parts[4], parts[3], at, NOTIFIED.get(name, name), (arn,), message)


def _alert(event: Event, received_at: datetime) -> Alert:
    about, status, verb = KINDS[event.kind]
    group = text(event.detail, "AutoScalingGroupName", required=True, path="detail.")
    at = moment(event.detail, "EndTime", received_at) or event.at
    why = prose(event.detail, "StatusMessage"), prose(event.detail, "Cause")
    refresh = prose(event.detail, "InstanceRefreshId")
    where = mapping(event.detail, "Details") if isinstance(event.detail.get("Details"), Mapping) else {}
    return Alert(
        source="auto_scaling",
        title=f"Auto Scaling group {group} {verb}",
        status=status,
        identity={**event.place, "group": group, "about": about},
        occurred_at=at,
        started_at=at,
        service=group,
        resource=next((arn for arn in event.resources if ":autoScalingGroup:" in arn), ""),
        summary=" - ".join(part for part in why if part),
        labels=labelled(
            group=group,
            about=about,
            instance=event.detail.get("EC2InstanceId"),
            availability_zone=where.get("Availability Zone"),
            change=refresh,
            **event.place,
        ),
        links=console_links(
            event.partition,
            event.region,
            f"ec2/home?region={event.region}#AutoScalingGroupDetails:id={quote(group, safe='')};view=activity",
        ),
    )


_ARN = (
    "arn:aws:autoscaling:eu-central-1:111122223333"
    ":autoScalingGroup:7b1c0f4e-0c35-4f0a-9a57-6b8c4e1f2d33:autoScalingGroupName/workers"
)
_IDENTITY = {"account": "111122223333", "region": "eu-central-1", "group": "workers"}
_FAILED: Mapping[str, Any] = {
    "StatusCode": "Failed",
    "AutoScalingGroupName": "workers",
    "ActivityId": "0c45e5b1-6a1d-4a8e-9b39-1f6f7f6a5b10",
    "Details": {"Availability Zone": "eu-central-1b", "Subnet ID": "subnet-0a1b2c3d"},
    "RequestId": "0c45e5b1-6a1d-4a8e-9b39-1f6f7f6a5b10",
    "StatusMessage": "There is no capacity for m7g.large in eu-central-1b. Launching EC2 instance failed.",
    "EndTime": "2026-01-15T10:00:02.125Z",
    "EC2InstanceId": "",
    "StartTime": "2026-01-15T09:59:58.000Z",
    "Cause": "An instance was started to bring the capacity from 2 to 3.",
}
_REFRESH = {"InstanceRefreshId": "ab00cf8f-9126-4f3c-8010-dbb8cad6fb86", "AutoScalingGroupName": "workers"}


def _event(kind: str, detail: Mapping[str, Any] = _FAILED, **changes: Any) -> Mapping[str, Any]:
    return sent("aws.autoscaling", kind, detail, _ARN, **changes)


def _notification(**changes: Any) -> Mapping[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": "0b7a6f7b-55b1-5f52-a9c8-30b0c2d8c0f7",
        "TopicArn": "arn:aws:sns:eu-central-1:111122223333:alarms",
        "Message": {
            **_FAILED,
            "Service": "AWS Auto Scaling",
            "Event": "autoscaling:EC2_INSTANCE_LAUNCH_ERROR",
            "Time": "2026-01-15T10:00:02.500Z",
            "AccountId": "111122223333",
            "AutoScalingGroupARN": _ARN,
            **changes,
        },
    }


SOURCE = Source(
    name="auto_scaling",
    reference="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html",
    parse=parse,
    labels=("group", "about", "instance", "availability_zone", "change", "account", "region"),
    recognise=recognise,
    event_patterns=({"source": ["aws.autoscaling"], "detail-type": list(KINDS)},),
    examples=(
        Example(
            "an instance cannot be launched",
            _event("EC2 Instance Launch Unsuccessful"),
            (
                {
                    "title": "Auto Scaling group workers cannot launch instances",
                    "status": "firing",
                    "identity": {**_IDENTITY, "about": "launch"},
                    "resource": _ARN,
                    "occurred_at": "2026-01-15T10:00:02.125000Z",
                    "labels": {"availability_zone": "eu-central-1b"},
                },
            ),
        ),
        Example(
            "the same by the group's own notification",
            _notification(Details='{"Availability Zone":"eu-central-1b"}'),
            ({"status": "firing", "identity": {**_IDENTITY, "about": "launch"}, "resource": _ARN},),
        ),
        Example(
            "the next launch succeeded",
            _event(
                "EC2 Instance Launch Successful", {**_FAILED, "StatusMessage": "", "EndTime": "2026-01-15T10:04:00Z"}
            ),
            (
                {
                    "status": "resolved",
                    "identity": {**_IDENTITY, "about": "launch"},
                    "occurred_at": "2026-01-15T10:04:00.000000Z",
                },
            ),
        ),
        Example(
            "an instance cannot be terminated, with next to nothing said",
            _event("EC2 Instance Terminate Unsuccessful", {"AutoScalingGroupName": "workers"}, resources=[]),
            (
                {
                    "status": "firing",
                    "identity": {**_IDENTITY, "about": "terminate"},
                    "resource": "",
                    "occurred_at": "2026-01-15T10:00:03.000000Z",
                },
            ),
        ),
        Example(
            "an instance refresh failed",
            _event(f"{REFRESH} Failed", _REFRESH),
            ({"status": "firing", "labels": {"about": "refresh", "change": _REFRESH["InstanceRefreshId"]}},),
        ),
        Example("a topic is tested", _notification(Event=TEST), ()),
    ),
)

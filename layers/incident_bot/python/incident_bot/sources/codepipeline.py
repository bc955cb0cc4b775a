"""CodePipeline: an execution that fails fires for its pipeline, the next one that succeeds resolves.

The failed action is told first and says why; then the pipeline's own failure follows: both are one series. A rejected
approval is no failed action, and an execution that was stopped, canceled or superseded is no failure. Notification
rules of the developer tools tell the same by SNS, in words of their own.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.deploys import Change
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import links, mapping, prose, shown, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import Event, opened, recognises, sent
from incident_bot.sources._fields import labelled

PIPELINE = "CodePipeline Pipeline Execution State Change"
STAGE = "CodePipeline Stage Execution State Change"
ACTION = "CodePipeline Action Execution State Change"
BEGUN, OVER = ("STARTED",), ("SUCCEEDED", "FAILED", "STOPPED", "CANCELED", "SUPERSEDED")
SILENT = ("STARTED", "RESUMED", "STOPPING", "STOPPED", "CANCELED", "SUPERSEDED", "ABANDONED")

_of_eventbridge = recognises("aws.codepipeline", PIPELINE, STAGE, ACTION)


def recognise(envelope: Mapping[str, Any]) -> bool:
    """A state change by EventBridge, or as a notification rule tells it: with `detailType` for `detail-type`."""
    message = envelope.get("Message")
    if isinstance(message, Mapping):
        return _of_eventbridge({"source": message.get("source"), "detail-type": message.get("detailType")})
    return _of_eventbridge(envelope)


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """One alert about the pipeline where something failed or all of it succeeded; none otherwise."""
    message = mapping(body, "Message")
    event = opened({**message, "detail-type": message.get("detailType")} if message else body, received_at)
    state = text(event.detail, "state", required=True, path="detail.").upper()
    changes = _changes(event, state)
    if state in SILENT or (state == "SUCCEEDED" and event.kind != PIPELINE) or _rejected(event.detail):
        notes = (f"neither a failure nor the end of one: {event.kind}: {state}",)
        return Parsed((), notes=notes, changes=changes)
    if state not in ("FAILED", "SUCCEEDED"):
        raise Unparseable(f"detail.state is neither FAILED nor SUCCEEDED: {shown(state)!r}", field="detail.state")
    return Parsed((_alert(event, state, mapping(message, "additionalAttributes")),), changes=changes)


def _changes(event: Event, state: str) -> tuple[Change, ...]:
    """That an execution of the whole pipeline began, or ended by whatever became of it."""
    if event.kind != PIPELINE or state not in (*BEGUN, *OVER):
        return ()
    pipeline = text(event.detail, "pipeline", required=True, path="detail.")
    execution = text(event.detail, "execution-id", required=True, path="detail.")
    ended = state in OVER
    return (Change("codepipeline", execution, pipeline, event.at, ended, state == "FAILED", version=execution),)


def _rejected(detail: Mapping[str, Any]) -> bool:
    return prose(mapping(detail, "type"), "category") == "Approval"


def _alert(event: Event, state: str, more: Mapping[str, Any]) -> Alert:
    detail, failed = event.detail, state == "FAILED"
    pipeline = text(detail, "pipeline", required=True, path="detail.")
    execution = text(detail, "execution-id", required=True, path="detail.")
    result, kind = mapping(detail, "execution-result"), mapping(detail, "type")
    stage = prose(detail, "stage") or prose(more, "failedStage")
    action, why = _failed_action(detail, result, more)
    where = (
        f"codesuite/codepipeline/pipelines/{quote(pipeline, safe='')}/executions/{quote(execution, safe='')}/timeline"
    )
    return Alert(
        source="codepipeline",
        title=f"Pipeline {pipeline} failed" if failed else f"Pipeline {pipeline} succeeded",
        status=Status.FIRING if failed else Status.RESOLVED,
        identity={**event.place, "pipeline": pipeline},
        occurred_at=event.at,
        started_at=event.at,
        service=pipeline,
        resource=f"arn:{event.partition}:codepipeline:{event.region}:{event.account}:{pipeline}",
        summary=_summary(execution, state, [part for part in (stage, action) if part], why),
        labels=labelled(
            pipeline=pipeline,
            change=execution,
            deployment=result.get("external-execution-id") if kind.get("category") == "Deploy" else "",
            stage=stage,
            action=action,
            provider=kind.get("provider"),
            error=result.get("error-code"),
            state=state,
            **event.place,
        ),
        links=console_links(event.partition, event.region, f"{where}?region={event.region}")
        | links({"action": prose(result, "external-execution-url")}),
    )


def _failed_action(detail: Mapping[str, Any], result: Mapping[str, Any], more: Mapping[str, Any]) -> tuple[str, str]:
    """The action that failed and what it said: of its own event, or the first that a notification names."""
    listed = more.get("failedActions")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], Mapping) else {}
    said = (
        prose(result, "external-execution-summary"),
        prose(more, "additionalInformation"),
        prose(first, "additionalInformation"),
    )
    return prose(detail, "action") or prose(first, "action"), next((why for why in said if why), "")


def _summary(execution: str, state: str, places: list[str], why: str) -> str:
    said = f"Execution {execution} {state.lower()}" + (f" in {'/'.join(places)}" if places else "")
    return f"{said}: {why}" if why else said


_IDENTITY = {"account": "111122223333", "region": "eu-central-1", "pipeline": "checkout"}
_EXECUTION = "0d6f3c1e-5b7a-4f0f-9a51-8c2f6a4b7d90"
_PIPELINE: Mapping[str, Any] = {"pipeline": "checkout", "execution-id": _EXECUTION, "version": 7.0}
_ACTION: Mapping[str, Any] = {
    **_PIPELINE,
    "state": "FAILED",
    "stage": "Production",
    "action": "Deploy",
    "region": "eu-central-1",
    "type": {"owner": "AWS", "provider": "CodeDeploy", "category": "Deploy", "version": "1"},
    "execution-result": {
        "external-execution-id": "d-4QWERTY12",
        "external-execution-summary": "Deployment d-4QWERTY12 failed",
        "external-execution-url": "https://console.aws.amazon.com/codedeploy/home#/deployments/d-4QWERTY12",
        "error-code": "JobFailed",
    },
}


def _event(kind: str, detail: Mapping[str, Any], **changes: Any) -> Mapping[str, Any]:
    return sent("aws.codepipeline", kind, detail, "arn:aws:codepipeline:eu-central-1:111122223333:checkout", **changes)


_NOTIFICATION: Mapping[str, Any] = {
    "Type": "Notification",
    "MessageId": "2a1c8b0e-8f61-5c4d-b3f5-d6a0e9c7f112",
    "TopicArn": "arn:aws:sns:eu-central-1:111122223333:alarms",
    "Timestamp": "2026-01-15T10:00:04.100Z",
    "Message": {
        "account": "111122223333",
        "detailType": PIPELINE,
        "region": "eu-central-1",
        "source": "aws.codepipeline",
        "time": "2026-01-15T10:00:03Z",
        "notificationRuleArn": "arn:aws:codestar-notifications:eu-central-1:111122223333:notificationrule/f00d",
        "detail": {**_PIPELINE, "state": "FAILED"},
        "resources": ["arn:aws:codepipeline:eu-central-1:111122223333:checkout"],
        "additionalAttributes": {
            "failedActionCount": 1,
            "failedActions": [{"action": "Build", "additionalInformation": "Build terminated with state: FAILED"}],
            "failedStage": "Build",
        },
    },
}

SOURCE = Source(
    name="codepipeline",
    reference="https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html",
    parse=parse,
    labels=(
        *("pipeline", "change", "deployment", "stage", "action", "provider", "error", "state"),
        *("account", "region"),
    ),
    recognise=recognise,
    event_patterns=(
        {"source": ["aws.codepipeline"], "detail-type": [PIPELINE], "detail": {"state": [*BEGUN, *OVER]}},
        {
            "source": ["aws.codepipeline"],
            "detail-type": [ACTION],
            "detail": {"state": ["FAILED"], "type": {"category": [{"anything-but": ["Approval"]}]}},
        },
    ),
    examples=(
        Example(
            "an action failed",
            _event(ACTION, _ACTION),
            (
                {
                    "title": "Pipeline checkout failed",
                    "status": "firing",
                    "identity": _IDENTITY,
                    "resource": "arn:aws:codepipeline:eu-central-1:111122223333:checkout",
                    "occurred_at": "2026-01-15T10:00:03.000000Z",
                    "summary": f"Execution {_EXECUTION} failed in Production/Deploy: Deployment d-4QWERTY12 failed",
                    "labels": {"change": _EXECUTION, "deployment": "d-4QWERTY12", "error": "JobFailed"},
                },
            ),
        ),
        Example(
            "and so did the pipeline, which says no more than that",
            _event(PIPELINE, {**_PIPELINE, "state": "FAILED"}, time="2026-01-15T10:00:05Z"),
            ({"title": "Pipeline checkout failed", "status": "firing", "identity": _IDENTITY},),
        ),
        Example(
            "the next execution succeeded",
            _event(PIPELINE, {**_PIPELINE, "state": "SUCCEEDED"}, time="2026-01-15T10:04:00Z"),
            ({"status": "resolved", "identity": _IDENTITY, "occurred_at": "2026-01-15T10:04:00.000000Z"},),
        ),
        Example(
            "a failure as a notification rule tells it",
            _NOTIFICATION,
            (
                {
                    "status": "firing",
                    "identity": _IDENTITY,
                    "summary": f"Execution {_EXECUTION} failed in Build/Build: Build terminated with state: FAILED",
                    "labels": {"stage": "Build", "action": "Build"},
                },
            ),
        ),
        Example("an approval was rejected", _event(ACTION, {**_ACTION, "type": {"category": "Approval"}}), ()),
        Example("one stage of it succeeded", _event(STAGE, {**_PIPELINE, "state": "SUCCEEDED", "stage": "Build"}), ()),
        Example("a newer execution superseded it", _event(PIPELINE, {**_PIPELINE, "state": "SUPERSEDED"}), ()),
    ),
)

"""ECS: deployments that fail, tasks that stop by themselves, and what keeps a service from running its tasks.

A service has two series. Its deployments fire when one fails and resolve when one completes (a rollback is one too).
Its tasks fire when one exits, is killed or does not start, and by the service's own WARN and ERROR events; they
resolve when it reaches its steady state. Tasks of no service are a series for each family, which a clean exit resolves.
Tasks stopped by a deployment, by scaling, by people or with their Spot capacity are no trouble.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.deploys import Change
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import moment, prose, shown, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import Event, opened, recognises, sent
from incident_bot.sources._fields import labelled

DEPLOYMENT = "ECS Deployment State Change"
ACTION = "ECS Service Action"
TASK = "ECS Task State Change"
DEPLOYED = {"SERVICE_DEPLOYMENT_FAILED": Status.FIRING, "SERVICE_DEPLOYMENT_COMPLETED": Status.RESOLVED}
BEGUN = "SERVICE_DEPLOYMENT_IN_PROGRESS"
STEADY = "SERVICE_STEADY_STATE"
STOPPED_BY_ITSELF = ("EssentialContainerExited", "TaskFailedToStart")
UNHEALTHY = "Task failed"  # how the scheduler's reason begins when it replaces a task that fails its health checks

recognise = recognises("aws.ecs", DEPLOYMENT, ACTION, TASK)


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """One alert where something is wrong or well again; none for what a healthy service does all day."""
    event = opened(body, received_at)
    changes: tuple[Change, ...] = ()
    if event.kind == TASK:
        alert = _of_task(event, received_at)
    else:
        name = text(event.detail, "eventName", required=True, path="detail.")
        alert, changes = _of_service(event, name, received_at), _changes(event, name, received_at)
    notes = () if alert else (f"neither trouble nor its end: {event.kind}",)
    return Parsed((alert,) if alert else (), notes=notes, changes=changes)


def _changes(event: Event, name: str, received_at: datetime) -> tuple[Change, ...]:
    """That a deployment began, completed or failed."""
    service = event.resource.rpartition("/")[2]
    if event.kind != DEPLOYMENT or name not in (BEGUN, *DEPLOYED) or not service:
        return ()
    deployment = text(event.detail, "deploymentId", required=True, path="detail.")
    at = moment(event.detail, "updatedAt", received_at) or event.at
    failed = name in DEPLOYED and DEPLOYED[name] is Status.FIRING
    return (Change("ecs", deployment, service, at, name in DEPLOYED, failed, event.resource, deployment),)


def _of_service(event: Event, name: str, received_at: datetime) -> Alert | None:
    """What a deployment's or a service's own event says: which it is, its name tells."""
    deploys, weight = event.kind == DEPLOYMENT, prose(event.detail, "eventType")
    known = DEPLOYED if deploys else {STEADY: Status.RESOLVED}
    if name not in known and weight not in ("WARN", "ERROR"):
        return None
    parts = event.resource.partition(":service/")[2].split("/")
    if not parts[-1]:
        raise Unparseable(f"resources names no ECS service: {shown(event.resource)!r}", field="resources")
    cluster = parts[0] if len(parts) > 1 else _name(prose(event.detail, "clusterArn"))
    at = moment(event.detail, "updatedAt" if deploys else "createdAt", received_at) or event.at
    series, deployment = {"cluster": cluster, "service": parts[-1]}, text(event.detail, "deploymentId", path="detail.")
    return Alert(
        source="ecs",
        title=f"ECS service {parts[-1]}: {name}",
        status=known.get(name, Status.FIRING),
        identity={**event.place, **series, "about": "deployments" if deploys else "tasks"},
        occurred_at=at,
        started_at=at,
        severity=Severity.SEV3 if weight == "WARN" else None,
        service=parts[-1],
        resource=event.resource,
        summary=prose(event.detail, "reason"),
        labels=labelled(**series, event=name, deployment=deployment, change=deployment, **event.place),
        links=_links(event, cluster, f"services/{quote(parts[-1], safe='')}/health"),
    )


def _of_task(event: Event, received_at: datetime) -> Alert | None:
    """What a stopped task says of its service, or of its family where it belongs to none."""
    detail = event.detail
    code, reason = prose(detail, "stopCode"), prose(detail, "stoppedReason")
    if prose(detail, "lastStatus") != "STOPPED" or not (code in STOPPED_BY_ITSELF or reason.startswith(UNHEALTHY)):
        return None
    cluster_arn = text(detail, "clusterArn", required=True, path="detail.")
    task = text(detail, "taskArn", required=True, path="detail.")
    container = _container(detail.get("containers"))
    series, resource = _whose(detail, cluster_arn)
    clean = "family" in series and code == "EssentialContainerExited" and container.get("exitCode") == 0
    at = moment(detail, "stoppedAt", received_at) or event.at
    started_by = prose(detail, "startedBy")
    deployment = started_by if started_by.startswith("ecs-svc/") else ""
    name = series.get("service") or series["family"]
    return Alert(
        source="ecs",
        title=f"ECS {'service' if 'service' in series else 'task'} {name}: {code}",
        status=Status.RESOLVED if clean else Status.FIRING,
        identity={**event.place, **series, "about": "tasks"},
        occurred_at=at,
        started_at=at,
        service=name,
        resource=resource,
        summary=": ".join(part for part in (f"Task {_name(task)} stopped", reason, _said(container)) if part),
        labels=labelled(
            **series,
            event=code,
            container=container.get("name"),
            exit_code=container.get("exitCode"),
            deployment=deployment,
            change=deployment,
            **event.place,
        ),
        links=_links(event, series["cluster"], f"tasks/{quote(_name(task), safe='')}/configuration"),
    )


def _whose(detail: Mapping[str, Any], cluster: str) -> tuple[dict[str, str], str]:
    """What names the series of a task, and the ARN of its service or of its family."""
    kind, _, service = text(detail, "group", path="detail.").partition(":")
    if kind == "service" and service:
        return {"cluster": _name(cluster), "service": service}, f"{cluster.replace(':cluster/', ':service/')}/{service}"
    family = text(detail, "taskDefinitionArn", required=True, path="detail.").rsplit(":", 1)[0]
    return {"cluster": _name(cluster), "family": _name(family)}, family


def _container(containers: object) -> Mapping[str, Any]:
    """The container to blame: the first that failed, or else the first there is."""
    found = [c for c in (containers if isinstance(containers, list) else ()) if isinstance(c, Mapping)]
    return next((c for c in found if c.get("exitCode") or c.get("reason")), found[0] if found else {})


def _said(container: Mapping[str, Any]) -> str:
    """`app exited with 137: OutOfMemoryError: ...`, as far as it is known."""
    code, reason = container.get("exitCode"), prose(container, "reason")
    exited = f"{prose(container, 'name')} exited with {code}" if isinstance(code, int) else ""
    return ": ".join(part for part in (exited, reason) if part)


def _name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _links(event: Event, cluster: str, page: str) -> dict[str, str]:
    where = f"ecs/v2/clusters/{quote(cluster, safe='')}/{page}?region={event.region}"
    return console_links(event.partition, event.region, where)


_ARN = "arn:aws:ecs:eu-central-1:111122223333"
_IDENTITY = {"account": "111122223333", "region": "eu-central-1", "cluster": "shop", "service": "checkout"}
_SERVICE = f"{_ARN}:service/shop/checkout"
_TASK: Mapping[str, Any] = {
    "clusterArn": f"{_ARN}:cluster/shop",
    "containers": [
        {"name": "proxy", "exitCode": 0, "lastStatus": "STOPPED"},
        {
            "name": "app",
            "exitCode": 137,
            "lastStatus": "STOPPED",
            "reason": "OutOfMemoryError: Container killed due to memory usage",
        },
    ],
    "desiredStatus": "STOPPED",
    "group": "service:checkout",
    "lastStatus": "STOPPED",
    "startedBy": "ecs-svc/4821906613571",
    "stopCode": "EssentialContainerExited",
    "stoppedAt": "2026-01-15T10:00:03.125Z",
    "stoppedReason": "Essential container in task exited",
    "taskArn": f"{_ARN}:task/shop/0f3f1f2ab6f24f5c8d0c3c5cbd1a7e90",
    "taskDefinitionArn": f"{_ARN}:task-definition/checkout:41",
    "version": 6,
}
_JOB: Mapping[str, Any] = {
    **_TASK,
    "group": "family:invoices",
    "startedBy": "nightly",
    "taskDefinitionArn": f"{_ARN}:task-definition/invoices:7",
}


def _deployment(name: str, kind: str, at: str, reason: str) -> Mapping[str, Any]:
    detail = {"eventType": kind, "eventName": name, "deploymentId": "ecs-svc/4821906613571", "updatedAt": at}
    return sent("aws.ecs", DEPLOYMENT, {**detail, "reason": reason}, _SERVICE)


def _action(name: str, kind: str, at: str, **changes: Any) -> Mapping[str, Any]:
    detail = {"eventType": kind, "eventName": name, "clusterArn": f"{_ARN}:cluster/shop", "createdAt": at, **changes}
    return sent("aws.ecs", ACTION, detail, _SERVICE)


SOURCE = Source(
    name="ecs",
    reference="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html",
    parse=parse,
    labels=(
        *("cluster", "service", "family", "event", "container", "exit_code", "deployment", "change"),
        *("account", "region"),
    ),
    recognise=recognise,
    event_patterns=(
        {"source": ["aws.ecs"], "detail-type": [DEPLOYMENT], "detail": {"eventName": [*DEPLOYED, BEGUN]}},
        {"source": ["aws.ecs"], "detail-type": [ACTION], "detail": {"eventType": ["WARN", "ERROR"]}},
        {"source": ["aws.ecs"], "detail-type": [ACTION], "detail": {"eventName": [STEADY]}},
        {
            "source": ["aws.ecs"],
            "detail-type": [TASK],
            "detail": {"lastStatus": ["STOPPED"], "stopCode": list(STOPPED_BY_ITSELF)},
        },
        {
            "source": ["aws.ecs"],
            "detail-type": [TASK],
            "detail": {
                "lastStatus": ["STOPPED"],
                "stopCode": ["ServiceSchedulerInitiated"],
                "stoppedReason": [{"prefix": UNHEALTHY}],
            },
        },
    ),
    examples=(
        Example(
            "a deployment failed",
            _deployment(
                "SERVICE_DEPLOYMENT_FAILED",
                "ERROR",
                "2026-01-15T10:00:02Z",
                "ECS deployment circuit breaker: tasks failed to start.",
            ),
            (
                {
                    "title": "ECS service checkout: SERVICE_DEPLOYMENT_FAILED",
                    "status": "firing",
                    "identity": {**_IDENTITY, "about": "deployments"},
                    "service": "checkout",
                    "resource": _SERVICE,
                    "occurred_at": "2026-01-15T10:00:02.000000Z",
                    "summary": "ECS deployment circuit breaker: tasks failed to start.",
                    "labels": {"change": "ecs-svc/4821906613571"},
                },
            ),
        ),
        Example(
            "its rollback completed",
            _deployment("SERVICE_DEPLOYMENT_COMPLETED", "INFO", "2026-01-15T10:00:02.9Z", "ECS deployment completed."),
            ({"status": "resolved", "identity": {**_IDENTITY, "about": "deployments"}},),
        ),
        Example(
            "a task ran out of memory",
            sent("aws.ecs", TASK, _TASK, _TASK["taskArn"]),
            (
                {
                    "title": "ECS service checkout: EssentialContainerExited",
                    "status": "firing",
                    "identity": {**_IDENTITY, "about": "tasks"},
                    "resource": _SERVICE,
                    "occurred_at": "2026-01-15T10:00:03.125000Z",
                    "summary": "Task 0f3f1f2ab6f24f5c8d0c3c5cbd1a7e90 stopped: Essential container in task exited: "
                    "app exited with 137: OutOfMemoryError: Container killed due to memory usage",
                    "labels": {"container": "app", "exit_code": "137", "change": "ecs-svc/4821906613571"},
                },
            ),
        ),
        Example(
            "no room for a task",
            _action("SERVICE_TASK_PLACEMENT_FAILURE", "ERROR", "2026-01-15T10:00:01Z", reason="RESOURCE:MEMORY"),
            (
                {
                    "title": "ECS service checkout: SERVICE_TASK_PLACEMENT_FAILURE",
                    "status": "firing",
                    "severity": None,
                    "identity": {**_IDENTITY, "about": "tasks"},
                    "summary": "RESOURCE:MEMORY",
                },
            ),
        ),
        Example(
            "tasks start with difficulty",
            _action("SERVICE_TASK_START_IMPAIRED", "WARN", "2026-01-15T10:00:01Z"),
            ({"status": "firing", "severity": 3, "identity": {**_IDENTITY, "about": "tasks"}},),
        ),
        Example(
            "the service is steady again",
            _action(STEADY, "INFO", "2026-01-15T10:04:00Z"),
            ({"status": "resolved", "identity": {**_IDENTITY, "about": "tasks"}},),
        ),
        Example(
            "the scheduler replaced a task that failed its health checks",
            sent(
                "aws.ecs",
                TASK,
                {
                    **_TASK,
                    "stopCode": "ServiceSchedulerInitiated",
                    "stoppedReason": "Task failed ELB health checks in (target-group checkout)",
                    "containers": [],
                    "stoppedAt": None,
                },
            ),
            ({"status": "firing", "occurred_at": "2026-01-15T10:00:03.000000Z"},),
        ),
        Example(
            "the scheduler scaled in",
            sent(
                "aws.ecs", TASK, {**_TASK, "stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Scaling activity"}
            ),
            (),
        ),
        Example(
            "a job of no service failed",
            sent("aws.ecs", TASK, _JOB),
            (
                {
                    "title": "ECS task invoices: EssentialContainerExited",
                    "status": "firing",
                    "identity": {"family": "invoices", "about": "tasks"},
                    "resource": f"{_ARN}:task-definition/invoices",
                    "labels": {"family": "invoices"},
                },
            ),
        ),
        Example(
            "its next run ended well",
            sent("aws.ecs", TASK, {**_JOB, "containers": [{"name": "app", "exitCode": 0}]}),
            ({"status": "resolved", "identity": {"family": "invoices", "about": "tasks"}},),
        ),
    ),
)

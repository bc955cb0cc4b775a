"""GitHub: workflow runs of the default branch and deployments; each signed over its body (X-Hub-Signature-256).

The webhook's content type must be application/json; let it send `Workflow runs` and `Deployment statuses`. The next
success of the same workflow, or to the same environment, resolves. What fails here is a change, not yet a service: a
failed deployment is sev3, a failed workflow sev4, so that neither wakes anybody unless a rule says so. Whatever else
GitHub sends (a ping, a run of a pull request, a deployment under way) holds no alert on purpose.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.authentication import HeaderSignature
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.deploys import Change
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import links, mapping, moment, prose, shown, text
from incident_bot.sources import ONLY_CHANGES_SECONDS, Example, Parsed, Source
from incident_bot.sources._fields import labelled
from incident_bot.sources._production import is_production

CONCLUSIONS = {
    **dict.fromkeys(("failure", "timed_out", "startup_failure"), Status.FIRING),
    "success": Status.RESOLVED,
}
STATES = {"failure": Status.FIRING, "error": Status.FIRING, "success": Status.RESOLVED}


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one alert of an event, or a note of what it is instead."""
    if isinstance(body.get("zen"), str):
        return Parsed((), notes=("a ping: the webhook works",))
    repository = mapping(body, "repository", required=True)
    name = text(repository, "full_name", required=True, path="repository.")
    if "workflow_run" in body:
        return _run(body, repository, name, received_at)
    if "deployment_status" in body:
        return _deployment(body, repository, name, received_at)
    return Parsed((), notes=("neither a workflow run nor the status of a deployment",))


def _run(body: Mapping[str, Any], repository: Mapping[str, Any], name: str, received_at: datetime) -> Parsed:
    run = mapping(body, "workflow_run", required=True)
    branch, ended = text(run, "head_branch"), text(run, "conclusion")
    if ended not in CONCLUSIONS:
        return Parsed((), notes=(f"the run has not failed and not succeeded: {shown(ended or 'under way')}",))
    if branch != prose(repository, "default_branch") or not _own(run, name):
        return Parsed((), notes=(f"a run of {shown(branch)}, which is not the default branch of {shown(name)}",))
    workflow = text(run, "name") or text(run, "path", required=True, path="workflow_run.")
    alert = Alert(
        source="github",
        title=f"Workflow {workflow} of {name}"[:500],
        status=CONCLUSIONS[ended],
        identity={"repository": name, "workflow": prose(run, "path") or workflow, "branch": branch},
        occurred_at=(at := _at(run, "workflow_run", received_at)),
        started_at=at,
        severity=Severity.SEV4,
        service=name.rpartition("/")[2],
        summary=_told(f"Run {run.get('run_number')}: {ended.replace('_', ' ')}", prose(run, "display_title")),
        labels=labelled(
            repository=name,
            workflow=workflow,
            branch=branch,
            conclusion=ended,
            event=prose(run, "event"),
            sha=prose(run, "head_sha"),
        ),
        links=links({"source": prose(run, "html_url")}),
    )
    return Parsed((alert,))


def _own(run: Mapping[str, Any], name: str) -> bool:
    """Whether it ran for the repository itself: a fork may call its own branch by the same name."""
    head = prose(mapping(run, "head_repository"), "full_name") or name
    return head == name and not text(run, "event").startswith("pull_request")


def _deployment(body: Mapping[str, Any], repository: Mapping[str, Any], name: str, received_at: datetime) -> Parsed:
    said, deployment = mapping(body, "deployment_status", required=True), mapping(body, "deployment")
    state = text(said, "state", required=True, path="deployment_status.")
    changes = _changes(said, deployment, name, received_at)
    if state not in STATES:
        return Parsed((), notes=(f"the deployment has not ended: {shown(state)}",), changes=changes)
    environment = text(said, "environment") or text(deployment, "environment", required=True, path="deployment.")
    alert = Alert(
        source="github",
        title=f"Deployment of {name} to {environment}"[:500],
        status=STATES[state],
        identity={"repository": name, "environment": environment, "task": prose(deployment, "task")},
        occurred_at=(at := _at(said, "deployment_status", received_at)),
        started_at=at,
        severity=Severity.SEV3,
        service=name.rpartition("/")[2],
        summary=_told(f"Deployment of {prose(deployment, 'ref') or name}: {state}", prose(said, "description")),
        labels=labelled(
            repository=name,
            environment=environment,
            branch=prose(deployment, "ref"),
            conclusion=state,
            production=deployment.get("production_environment"),
            sha=prose(deployment, "sha"),
        ),
        links=links(
            {
                "source": prose(said, "log_url") or prose(said, "target_url") or prose(repository, "html_url"),
                "environment": prose(said, "environment_url"),
            }
        ),
    )
    return Parsed((alert,), changes=changes)


def _changes(
    said: Mapping[str, Any], deployment: Mapping[str, Any], name: str, received_at: datetime
) -> tuple[Change, ...]:
    """That a deployment began, or ended by whatever became of it; only production's says anything of its alerts."""
    state, number = text(said, "state"), deployment.get("id")
    counts = state in ("in_progress", *STATES, "inactive") and _in_production(said, deployment)
    if not counts or isinstance(number, bool) or not isinstance(number, int):
        return ()
    ended, failed = state != "in_progress", STATES.get(state) is Status.FIRING
    at, version = _at(said, "deployment_status", received_at), prose(deployment, "sha")[:12]
    return (Change("github", f"{name}-{number}", name.rpartition("/")[2], at, ended, failed, version=version),)


def _in_production(said: Mapping[str, Any], deployment: Mapping[str, Any]) -> bool:
    """Whether GitHub was told so, or the environment's name says it, where nobody may have told GitHub."""
    environment = prose(said, "environment") or prose(deployment, "environment")
    return deployment.get("production_environment") is True or is_production(environment)


def _at(said: Mapping[str, Any], where: str, received_at: datetime) -> datetime:
    at = moment(said, "updated_at", received_at) or moment(said, "created_at", received_at)
    if at is None:
        raise Unparseable(f"{where}.updated_at is missing", field=f"{where}.updated_at")
    return at


def _told(*parts: str) -> str:
    return prose({"told": ": ".join(part for part in parts if part)}, "told")


_REPOSITORY: Mapping[str, Any] = {
    "full_name": "shop/checkout",
    "default_branch": "main",
    "html_url": "https://github.com/shop/checkout",
}
_RUN: Mapping[str, Any] = {
    "id": 20941337125,
    "name": "release",
    "path": ".github/workflows/release.yaml",
    "display_title": "Charge once",
    "event": "push",
    "status": "completed",
    "conclusion": "failure",
    "head_branch": "main",
    "head_sha": "3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
    "head_repository": {"full_name": "shop/checkout"},
    "run_number": 318,
    "run_attempt": 1,
    "html_url": "https://github.com/shop/checkout/actions/runs/20941337125",
    "created_at": "2026-01-15T09:55:00Z",
    "updated_at": "2026-01-15T10:00:03Z",
}
_STATUS: Mapping[str, Any] = {
    "state": "failure",
    "description": "Health checks did not pass",
    "environment": "production",
    "target_url": "https://deploys.example.com/77",
    "environment_url": "https://shop.example.com",
    "created_at": "2026-01-15T10:00:03Z",
    "updated_at": "2026-01-15T10:00:03Z",
}
_DEPLOYMENT: Mapping[str, Any] = {
    "id": 77,
    "ref": "main",
    "sha": "3b18e512",
    "task": "deploy",
    "environment": "production",
    "production_environment": True,
}


def _ran(**changes: Any) -> Mapping[str, Any]:
    return {"action": "completed", "workflow_run": {**_RUN, **changes}, "repository": _REPOSITORY}


def _deployed(**changes: Any) -> Mapping[str, Any]:
    status = {**_STATUS, **changes}
    return {"action": "created", "deployment_status": status, "deployment": _DEPLOYMENT, "repository": _REPOSITORY}


_WORKFLOW = {"repository": "shop/checkout", "workflow": ".github/workflows/release.yaml", "branch": "main"}
_TARGET = {"repository": "shop/checkout", "environment": "production", "task": "deploy"}

SOURCE = Source(
    name="github",
    reference="https://docs.github.com/en/webhooks/webhook-events-and-payloads",
    parse=parse,
    labels=("repository", "workflow", "branch", "conclusion", "event", "environment", "production", "sha"),
    authentication=HeaderSignature("X-Hub-Signature-256", prefix="sha256="),
    repeats_within_seconds=ONLY_CHANGES_SECONDS,
    examples=(
        Example(
            "a workflow fails on the default branch",
            _ran(),
            (
                {
                    "title": "Workflow release of shop/checkout",
                    "status": "firing",
                    "severity": 4,
                    "service": "checkout",
                    "identity": _WORKFLOW,
                    "occurred_at": "2026-01-15T10:00:03.000000Z",
                    "summary": "Run 318: failure: Charge once",
                    "labels": {"branch": "main", "conclusion": "failure"},
                },
            ),
        ),
        Example(
            "its next run succeeds",
            _ran(conclusion="success", run_number=319, updated_at="2026-01-15T10:04:00Z"),
            ({"status": "resolved", "identity": _WORKFLOW, "occurred_at": "2026-01-15T10:04:00.000000Z"},),
        ),
        Example("a run on another branch", _ran(head_branch="feature"), ()),
        Example(
            "a fork whose branch has the same name",
            _ran(event="pull_request", head_repository={"full_name": "fan/checkout"}),
            (),
        ),
        Example("a run under way", _ran(status="in_progress", conclusion=None), ()),
        Example(
            "a deployment fails",
            _deployed(),
            (
                {
                    "title": "Deployment of shop/checkout to production",
                    "status": "firing",
                    "severity": 3,
                    "identity": _TARGET,
                    "labels": {"environment": "production", "production": "true"},
                    "links": {"source": "https://deploys.example.com/77"},
                },
            ),
        ),
        Example("the next one succeeds", _deployed(state="success"), ({"status": "resolved", "identity": _TARGET},)),
        Example("one is under way", _deployed(state="in_progress"), ()),
        Example("a ping", {"zen": "Design for failure.", "hook_id": 1, "repository": _REPOSITORY}, ()),
        Example("a push, which nobody asked for", {"ref": "refs/heads/main", "repository": _REPOSITORY}, ()),
    ),
)

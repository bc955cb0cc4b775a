"""GitLab: pipelines of the default branch and deployments, of projects and groups.

Authentication is the webhook's signing token (whsec_..., Standard Webhooks), which GitLab has since version 19; before
it, the secret token in X-Gitlab-Token. Let the webhook send `Pipeline events` and `Deployment events`. The next success
of the same branch, or to the same environment, resolves; scheduled pipelines are a series of their own, and child
pipelines are told by their parents. What fails here is a change, not yet a service: a failed deployment is sev3, a
failed pipeline sev4, so that neither wakes anybody unless a rule says so.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from incident_bot.authentication import HeaderToken, StandardWebhooks
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.deploys import Change
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import links, mapping, moment, prose, shown, text
from incident_bot.sources import ONLY_CHANGES_SECONDS, Example, Parsed, Source
from incident_bot.sources._fields import labelled

ENDS = {"failed": Status.FIRING, "success": Status.RESOLVED}
BEGUN, CHANGED = "running", ("running", "canceled", *ENDS)  # what a deployment says that a deploy window follows
PRODUCTION = "production"  # GitLab's tier of an environment, which it tells from its name where nobody says it
ELSEWHERE = ("merge_request_event", "parent_pipeline", "external_pull_request_event")
SIGNING = "whsec_"
SIGNED, TOKEN = StandardWebhooks(), HeaderToken("X-Gitlab-Token")
SPELLED = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (?:UTC|([+-]\d\d):?(\d\d))")


class SigningOrSecretToken:
    """GitLab's two ways, told apart by the secret itself: a signing token begins with `whsec_` and is never sent."""

    challenge = f"{SIGNED.challenge}, {TOKEN.challenge}"

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
        """Raise Unauthenticated unless one of the signing tokens signed it, or it carries one of the secret tokens."""
        signing = [secret for secret in secrets if secret.startswith(SIGNING)]
        tokens = [secret for secret in secrets if secret not in signing]
        if signing and ("webhook-signature" in headers or not tokens):
            SIGNED.verify(headers, body, signing, now)
        else:
            TOKEN.verify(headers, body, tokens, now)

    def sign(self, body: bytes, secret: str, now: datetime, message_id: str) -> dict[str, str]:
        """The headers that GitLab would send where it was given this secret."""
        way = SIGNED if secret.startswith(SIGNING) else TOKEN
        return way.sign(body, secret, now, message_id)


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one alert of an event, or a note of what it is instead."""
    event = text(body, "object_kind", required=True)
    if event not in ("pipeline", "deployment"):
        return Parsed((), notes=(f"neither a pipeline nor a deployment: {shown(event)}",))
    project = mapping(body, "project", required=True)
    name = text(project, "path_with_namespace", required=True, path="project.")
    return (_pipeline if event == "pipeline" else _deployment)(body, project, name, received_at)


def _pipeline(body: Mapping[str, Any], project: Mapping[str, Any], name: str, received_at: datetime) -> Parsed:
    told = mapping(body, "object_attributes", required=True)
    status = text(told, "status", required=True, path="object_attributes.")
    branch, cause = text(told, "ref"), prose(told, "source")
    if status not in ENDS:
        return Parsed((), notes=(f"the pipeline has not failed and not succeeded: {shown(status)}",))
    if branch != prose(project, "default_branch") or told.get("tag") is True or cause in ELSEWHERE:
        return Parsed((), notes=(f"a pipeline of {shown(branch)}, which is not the default branch of {shown(name)}",))
    kind = "schedule" if cause == "schedule" else "branch"
    alert = Alert(
        source="gitlab",
        title=f"Pipeline of {name}" if kind == "branch" else f"Scheduled pipeline of {name}",
        status=ENDS[status],
        identity={"project": name, "branch": branch, "kind": kind},
        occurred_at=(at := _at(told, ("finished_at", "created_at"), received_at)),
        started_at=at,
        severity=Severity.SEV4,
        service=name.rpartition("/")[2],
        summary=_told(body, prose(mapping(body, "commit"), "title")),
        labels=labelled(project=name, branch=branch, status=status, cause=cause, sha=prose(told, "sha")),
        links=links({"source": prose(told, "url") or _url(project, "pipelines", told.get("id"))}),
    )
    return Parsed((alert,))


def _deployment(body: Mapping[str, Any], project: Mapping[str, Any], name: str, received_at: datetime) -> Parsed:
    status, changes = text(body, "status", required=True), _changes(body, name, received_at)
    if status not in ENDS:
        notes = (f"the deployment has not failed and not succeeded: {shown(status)}",)
        return Parsed((), notes=notes, changes=changes)
    environment = text(body, "environment", required=True)
    alert = Alert(
        source="gitlab",
        title=f"Deployment of {name} to {environment}"[:500],
        status=ENDS[status],
        identity={"project": name, "environment": environment},
        occurred_at=(at := _at(body, ("status_changed_at",), received_at)),
        started_at=at,
        severity=Severity.SEV3,
        service=name.rpartition("/")[2],
        summary=prose(body, "commit_title"),
        labels=labelled(
            project=name,
            environment=environment,
            tier=prose(body, "environment_tier"),
            branch=prose(body, "ref"),
            status=status,
            sha=prose(body, "short_sha"),
        ),
        links=links(
            {
                "source": prose(body, "deployable_url") or prose(project, "web_url"),
                "environment": prose(body, "environment_external_url"),
            }
        ),
    )
    return Parsed((alert,), changes=changes)


def _changes(body: Mapping[str, Any], name: str, received_at: datetime) -> tuple[Change, ...]:
    """That a deployment began, or ended by whatever became of it; only production's says anything of its alerts."""
    status, number = text(body, "status"), body.get("deployment_id")
    tier = prose(body, "environment_tier") or PRODUCTION
    if status not in CHANGED or tier != PRODUCTION or isinstance(number, bool) or not isinstance(number, int):
        return ()
    at, ended, failed = _at(body, ("status_changed_at",), received_at), status != BEGUN, status == "failed"
    version = prose(body, "short_sha")
    return (Change("gitlab", f"{name}-{number}", name.rpartition("/")[2], at, ended, failed, version=version),)


def _at(told: Mapping[str, Any], names: tuple[str, ...], received_at: datetime) -> datetime:
    """The first of those times that there is: RFC 3339, or `2026-01-15 10:00:03 UTC` (or `+0100`), as GitLab has it."""
    for name in names:
        found = SPELLED.fullmatch(text(told, name))
        if found:
            zone = f"{found[3]}:{found[4]}" if found[3] else "Z"
            told = {**told, name: f"{found[1]}T{found[2]}{zone}"}
        if at := moment(told, name, received_at):
            return at
    raise Unparseable(f"{names[0]} is missing", field=names[0])


def _told(body: Mapping[str, Any], commit: str) -> str:
    """Which jobs failed, and of which commit."""
    builds = body.get("builds")
    jobs = [b for b in (builds if isinstance(builds, list) else ())[:100] if isinstance(b, Mapping)]
    failed = [prose(b, "name") for b in jobs if b.get("status") == "failed" and b.get("allow_failure") is not True]
    return prose({"told": ": ".join(part for part in (", ".join(failed[:10]), commit) if part)}, "told")


def _url(project: Mapping[str, Any], kind: str, number: object) -> str:
    return f"{prose(project, 'web_url')}/-/{kind}/{number}" if isinstance(number, int) else ""


_PROJECT: Mapping[str, Any] = {
    "id": 24,
    "name": "checkout",
    "path_with_namespace": "shop/checkout",
    "default_branch": "main",
    "web_url": "https://gitlab.example.com/shop/checkout",
}


def _ran(**changes: Any) -> Mapping[str, Any]:
    attributes = {
        "id": 31,
        "iid": 3,
        "ref": "main",
        "tag": False,
        "sha": "bcbb5ec396a2c0f828686f14fac9b80b780504f2",
        "source": "push",
        "status": "failed",
        "detailed_status": "failed",
        "created_at": "2026-01-15 09:55:28 UTC",
        "finished_at": "2026-01-15 10:00:03 UTC",
        "duration": 275,
        **changes,
    }
    jobs = [
        {"id": 380, "stage": "test", "name": "unit", "status": "failed", "allow_failure": False},
        {"id": 381, "stage": "test", "name": "lint", "status": "failed", "allow_failure": True},
    ]
    commit = {"id": "bcbb5ec3", "title": "Charge once"}
    return {
        "object_kind": "pipeline",
        "object_attributes": attributes,
        "project": _PROJECT,
        "commit": commit,
        "builds": jobs,
    }


def _deployed(**changes: Any) -> Mapping[str, Any]:
    return {
        "object_kind": "deployment",
        "status": "failed",
        "status_changed_at": "2026-01-15 11:00:03 +0100",
        "deployment_id": 15,
        "deployable_id": 796,
        "deployable_url": "https://gitlab.example.com/shop/checkout/-/jobs/796",
        "environment": "production",
        "environment_tier": "production",
        "environment_external_url": "https://shop.example.com",
        "project": _PROJECT,
        "short_sha": "bcbb5ec3",
        "ref": "main",
        "commit_title": "Charge once",
        **changes,
    }


_BRANCH = {"project": "shop/checkout", "branch": "main", "kind": "branch"}
_TARGET = {"project": "shop/checkout", "environment": "production"}

SOURCE = Source(
    name="gitlab",
    reference="https://docs.gitlab.com/user/project/integrations/webhook_events/",
    parse=parse,
    labels=("project", "branch", "status", "cause", "environment", "tier", "sha"),
    authentication=SigningOrSecretToken(),
    repeats_within_seconds=ONLY_CHANGES_SECONDS,
    examples=(
        Example(
            "a pipeline fails on the default branch",
            _ran(),
            (
                {
                    "title": "Pipeline of shop/checkout",
                    "status": "firing",
                    "severity": 4,
                    "service": "checkout",
                    "identity": _BRANCH,
                    "occurred_at": "2026-01-15T10:00:03.000000Z",
                    "summary": "unit: Charge once",
                    "links": {"source": "https://gitlab.example.com/shop/checkout/-/pipelines/31"},
                },
            ),
        ),
        Example(
            "the next one succeeds, from a version that tells its URL and a time with an offset",
            _ran(
                status="success",
                id=32,
                url="https://gitlab.example.com/shop/checkout/-/pipelines/32",
                finished_at="2026-01-15T11:04:00+01:00",
            ),
            ({"status": "resolved", "identity": _BRANCH, "occurred_at": "2026-01-15T10:04:00.000000Z"},),
        ),
        Example(
            "a scheduled one fails",
            _ran(source="schedule"),
            ({"title": "Scheduled pipeline of shop/checkout", "identity": {**_BRANCH, "kind": "schedule"}},),
        ),
        Example("one of a merge request", _ran(ref="feature", source="merge_request_event"), ()),
        Example("a child of another succeeds", _ran(source="parent_pipeline", status="success"), ()),
        Example("one is under way", _ran(status="running", finished_at=None), ()),
        Example(
            "a deployment fails",
            _deployed(),
            (
                {
                    "title": "Deployment of shop/checkout to production",
                    "status": "firing",
                    "severity": 3,
                    "identity": _TARGET,
                    "occurred_at": "2026-01-15T10:00:03.000000Z",
                    "labels": {"tier": "production"},
                },
            ),
        ),
        Example("the next one succeeds", _deployed(status="success"), ({"status": "resolved", "identity": _TARGET},)),
        Example("one begins", _deployed(status="running"), ()),
        Example("a push", {"object_kind": "push", "ref": "refs/heads/main", "project": _PROJECT}, ()),
    ),
)

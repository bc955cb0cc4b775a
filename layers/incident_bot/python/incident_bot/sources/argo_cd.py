"""Argo CD: the health and the last sync of an application, each a series of its own.

Argo CD's notifications have no format: the body is a template of the user's. Ours is docs/argocd-notifications.yaml,
which sends the secret as a bearer token and tells both states each time one of them changes. Degraded health and a sync
that failed fire; healthy, and a sync that succeeded, resolve; all between (progressing, suspended, running) is neither.

A sync in production is a deployment of its revision, until the application is no longer progressing; the same revision
again (Argo CD heals what drifts) is the same one. Whether it is production the application's label `environment` or
`env` says, and where it has none, the name of its project, its namespace, its cluster or of itself.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from incident_bot.authentication import BearerOrBasic
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.deploys import LONGEST, Change
from incident_bot.payload import links, mapping, moment, prose, severity, text
from incident_bot.sources import ONLY_CHANGES_SECONDS, Example, Parsed, Source
from incident_bot.sources._fields import labelled
from incident_bot.sources._production import is_production

HEALTH = {"Degraded": Status.FIRING, "Healthy": Status.RESOLVED}
SYNC = {"Failed": Status.FIRING, "Error": Status.FIRING, "Succeeded": Status.RESOLVED}
UNDER_WAY = ("Progressing", "Missing")  # a health that a sync which succeeded may still be waiting for
TIERS = ("environment", "env")
PLACES = ("project", "destination", "cluster", "application")
LABELS = 20


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """One alert of each state that says anything; a note where neither does."""
    text(body, "application", required=True)
    alerts = tuple(_alerts(body, received_at))
    states = f"health {prose(body, 'health')[:50] or 'unknown'}, sync {prose(body, 'sync_phase')[:50] or 'none'}"
    notes = () if alerts else (f"nothing has failed and nothing has succeeded: {states}",)
    return Parsed(alerts, notes=notes, changes=_changes(body, received_at))


def _alerts(body: Mapping[str, Any], received_at: datetime) -> Iterator[Alert]:
    if status := HEALTH.get(text(body, "health")):
        at = moment(body, "health_since", received_at) or received_at
        yield _alert(body, "health", status, at, prose(body, "health_message"))
    if status := SYNC.get(text(body, "sync_phase")):
        at = moment(body, "sync_finished_at", received_at) or received_at
        yield _alert(body, "sync", status, at, prose(body, "sync_message"))


def _changes(body: Mapping[str, Any], received_at: datetime) -> tuple[Change, ...]:
    """That a sync began, or how it ended; only production's says anything of its alerts."""
    phase, revision = text(body, "sync_phase"), _revision(body)
    if not revision or phase not in ("Running", *SYNC) or not _in_production(body):
        return ()
    health, failed = text(body, "health"), SYNC.get(phase) is Status.FIRING
    ended = phase != "Running" and (failed or health not in UNDER_WAY)
    finished = moment(body, "sync_finished_at", received_at) or received_at
    at = _ended_at(body, finished, received_at) if ended else moment(body, "sync_started_at", received_at)
    change = Change(
        source="argo_cd",
        id=f"{prose(body, 'namespace')}/{prose(body, 'application')}@{revision}",
        service=_service(body),
        at=min(at or (received_at if phase == "Running" else finished), received_at),
        ended=ended,
        failed=failed or (ended and health == "Degraded"),
        resource=text(body, "application"),
        version=revision[:12],
    )
    return (change,)


def _revision(body: Mapping[str, Any]) -> str:
    """What is synced: what was last compared with may be newer, once the sync is over."""
    compared = text(body, "sync_phase") != "Succeeded" or text(body, "sync") == "Synced"
    return prose(body, "sync_revision") or (prose(body, "revision") if compared else "")


def _ended_at(body: Mapping[str, Any], finished: datetime, received_at: datetime) -> datetime:
    """When the sync was over, or what it changed was healthy not long after."""
    well = moment(body, "health_since", received_at) if text(body, "health") == "Healthy" else None
    return well if well and timedelta(0) <= well - finished <= LONGEST else finished


def _in_production(body: Mapping[str, Any]) -> bool:
    own = mapping(body, "labels")
    said = [prose(own, name) for name in TIERS if prose(own, name)] or [prose(body, name) for name in PLACES]
    return any(map(is_production, said))


def _service(body: Mapping[str, Any]) -> str:
    own = mapping(body, "labels")
    return prose(own, "service") or prose(own, "app.kubernetes.io/name") or text(body, "application")


def _alert(body: Mapping[str, Any], about: str, status: Status, at: datetime, summary: str) -> Alert:
    application, own = text(body, "application"), mapping(body, "labels")
    return Alert(
        source="argo_cd",
        title=f"{'Health' if about == 'health' else 'Sync'} of {application}",
        status=status,
        identity=labelled(
            about=about,
            application=application,
            namespace=prose(body, "namespace"),
            instance=prose(body, "instance"),
        ),
        occurred_at=at,
        started_at=at,
        severity=severity(prose(own, "severity")),
        service=_service(body),
        resource=application,
        summary=summary,
        labels=labelled(
            about=about,
            application=application,
            project=prose(body, "project"),
            cluster=prose(body, "cluster"),
            destination=prose(body, "destination"),
            health=prose(body, "health"),
            sync=prose(body, "sync"),
            phase=prose(body, "sync_phase"),
            revision=prose(body, "revision"),
            **{f"label.{name[:100]}": value for name, value in list(own.items())[:LABELS]},
        ),
        links=links({"source": prose(body, "url"), "repository": prose(body, "repository")}),
    )


_DEGRADED: Mapping[str, Any] = {
    "application": "checkout",
    "namespace": "argocd",
    "instance": "https://argocd.example.com",
    "project": "shop",
    "cluster": "https://kubernetes.default.svc",
    "destination": "shop",
    "labels": {"service": "checkout", "tier": "1"},
    "repository": "https://github.com/shop/deploy",
    "revision": "3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
    "url": "https://argocd.example.com/applications/argocd/checkout",
    "health": "Degraded",
    "health_message": "Deployment exceeded its progress deadline",
    "health_since": "2026-01-15T10:00:03Z",
    "sync": "Synced",
    "sync_phase": "Running",
    "sync_message": "",
    "sync_revision": "3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
    "sync_started_at": "2026-01-15T09:59:30Z",
    "sync_finished_at": "",
}
_HEALTH = {
    "about": "health",
    "application": "checkout",
    "namespace": "argocd",
    "instance": "https://argocd.example.com",
}
_SYNC = {**_HEALTH, "about": "sync"}

SOURCE = Source(
    name="argo_cd",
    reference="https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/services/webhook/",
    parse=parse,
    labels=(
        *("about", "application", "project", "cluster", "destination", "health", "sync", "phase", "revision"),
        "label.*",
    ),
    authentication=BearerOrBasic(),
    repeats_within_seconds=ONLY_CHANGES_SECONDS,
    examples=(
        Example(
            "an application degrades while it syncs",
            _DEGRADED,
            (
                {
                    "title": "Health of checkout",
                    "status": "firing",
                    "severity": None,
                    "service": "checkout",
                    "identity": _HEALTH,
                    "occurred_at": "2026-01-15T10:00:03.000000Z",
                    "summary": "Deployment exceeded its progress deadline",
                    "labels": {"project": "shop", "label.tier": "1"},
                },
            ),
        ),
        Example(
            "its sync fails, its health as it was",
            {
                **_DEGRADED,
                "sync_phase": "Failed",
                "sync_message": "one or more objects failed to apply",
                "sync_finished_at": "2026-01-15T10:01:00Z",
            },
            (
                {"status": "firing", "identity": _HEALTH},
                {
                    "title": "Sync of checkout",
                    "status": "firing",
                    "identity": _SYNC,
                    "occurred_at": "2026-01-15T10:01:00.000000Z",
                },
            ),
        ),
        Example(
            "all is well again, from an Argo CD that does not say since when",
            {**_DEGRADED, "health": "Healthy", "health_since": "", "sync_phase": "Succeeded", "labels": None},
            (
                {"status": "resolved", "identity": _HEALTH, "occurred_at": "2026-01-15T10:05:00.000000Z"},
                {"status": "resolved", "identity": _SYNC},
            ),
        ),
        Example("it is under way", {**_DEGRADED, "health": "Progressing"}, ()),
    ),
)

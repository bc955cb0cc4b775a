"""Does a sync of Argo CD open a deploy window where it is one to production, until what it changed is well?"""

from typing import Any

import pytest

from incident_bot import plugins
from incident_bot.domain.clock import instant
from incident_bot.domain.deploys import Change
from incident_bot.sources import read

REVISION = "3b18e512dba79e4c8300dd08aeb37f8e728b8dad"
STARTED, FINISHED, WELL = "2026-01-15T10:00:00Z", "2026-01-15T10:01:00Z", "2026-01-15T10:03:00Z"
BODY = {
    "application": "checkout",
    "namespace": "argocd",
    "project": "shop",
    "cluster": "https://kubernetes.default.svc",
    "destination": "shop",
    "labels": {"environment": "production"},
    "revision": REVISION,
    "health": "Progressing",
    "health_since": WELL,
    "sync": "Synced",
    "sync_phase": "Running",
    "sync_revision": REVISION,
    "sync_started_at": STARTED,
    "sync_finished_at": FINISHED,
}


def changes(**differing: Any) -> tuple[Change, ...]:
    return read(plugins.sources()["argo_cd"], {**BODY, **differing}, instant("2026-01-15T10:05:00Z")).changes


@pytest.mark.parametrize(
    ("phase", "health", "at", "ended", "failed"),
    [
        ("Running", "Healthy", STARTED, False, False),
        ("Running", "Degraded", STARTED, False, False),
        ("Succeeded", "Progressing", STARTED, False, False),
        ("Succeeded", "Healthy", WELL, True, False),
        ("Succeeded", "Degraded", FINISHED, True, True),
        ("Failed", "Healthy", WELL, True, True),
        ("Error", "Progressing", FINISHED, True, True),
    ],
)
def test_it_begins_and_ends(phase: str, health: str, at: str, ended: bool, failed: bool) -> None:
    identifier = f"argocd/checkout@{REVISION}"
    told = Change(
        "argo_cd", identifier, "checkout", instant(at), ended, failed, resource="checkout", version=REVISION[:12]
    )
    assert changes(sync_phase=phase, health=health) == (told,)


@pytest.mark.parametrize(
    ("differing", "counts"),
    [
        ({"labels": {"env": "prod-eu"}}, True),
        ({"labels": None, "destination": "shop-production"}, True),
        ({"labels": {"tier": "1"}, "project": "production"}, True),
        ({"labels": None, "cluster": "prod-1"}, True),
        ({"labels": {}, "application": "checkout-prod"}, True),
        ({"labels": {"environment": "staging"}, "project": "production"}, False),
        ({"labels": None, "destination": "preprod"}, False),
        ({"labels": None, "application": "checkout-non-prod"}, False),
        ({"labels": None}, False),
    ],
)
def test_what_says_that_it_is_production(differing: dict[str, Any], counts: bool) -> None:
    assert bool(changes(**differing)) is counts


@pytest.mark.parametrize(
    "differing",
    [
        {"sync_revision": "", "revision": ""},
        {"sync_phase": "Succeeded", "sync_revision": "", "sync": "OutOfSync"},  # compared with what nobody deployed
        {"sync_phase": ""},
        {"sync_phase": "Terminating"},
    ],
)
def test_what_is_not_surely_one_opens_none(differing: dict[str, Any]) -> None:
    assert changes(**differing) == ()


def test_a_health_that_recovers_days_later_ends_no_deployment_then() -> None:
    (told,) = changes(sync_phase="Succeeded", health="Healthy", sync_finished_at="2026-01-13T10:00:00Z")
    assert told.at == instant("2026-01-13T10:00:00Z")


def test_a_template_of_before_is_read_by_what_it_has() -> None:
    (told,) = changes(sync_revision=None, sync_started_at=None)
    assert (told.at, told.version) == (instant("2026-01-15T10:05:00Z"), REVISION[:12])

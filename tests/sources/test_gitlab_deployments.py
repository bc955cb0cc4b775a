"""Does a deployment of GitLab open a deploy window when it begins, and end it whatever became of it?"""

from typing import Any

import pytest

from incident_bot import plugins
from incident_bot.domain.clock import instant
from incident_bot.domain.deploys import Change
from incident_bot.sources import read

AT = "2026-01-15T10:00:00Z"
BODY = {
    "object_kind": "deployment",
    "status": "running",
    "status_changed_at": "2026-01-15 11:00:00 +0100",
    "deployment_id": 15,
    "environment": "live",
    "environment_tier": "production",
    "project": {"path_with_namespace": "shop/checkout", "default_branch": "main"},
    "short_sha": "279484c0",
}


def changes(**differing: Any) -> tuple[Change, ...]:
    return read(plugins.sources()["gitlab"], {**BODY, **differing}, instant("2026-01-15T10:05:00Z")).changes


@pytest.mark.parametrize(
    ("status", "ended", "failed"),
    [("running", False, False), ("success", True, False), ("failed", True, True), ("canceled", True, False)],
)
def test_it_begins_and_ends(status: str, ended: bool, failed: bool) -> None:
    told = Change("gitlab", "shop/checkout-15", "checkout", instant(AT), ended, failed, version="279484c0")
    assert changes(status=status) == (told,)


@pytest.mark.parametrize(
    "differing",
    [{"environment_tier": "staging"}, {"status": "created"}, {"deployment_id": None}, {"deployment_id": True}],
)
def test_what_is_no_deployment_to_production_opens_none(differing: dict[str, Any]) -> None:
    assert changes(**differing) == ()


def test_without_a_tier_it_counts() -> None:
    assert changes(environment_tier=None)

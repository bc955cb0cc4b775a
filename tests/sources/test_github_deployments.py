"""Does a deployment of GitHub open a deploy window where it is one to production, and no other?"""

from typing import Any

import pytest

from incident_bot import plugins
from incident_bot.domain.clock import instant
from incident_bot.domain.deploys import Change
from incident_bot.sources import read

AT = "2026-01-15T10:00:00Z"
DEPLOYMENT = {"id": 77, "sha": "3b18e512dba79e4c", "environment": "staging", "production_environment": False}


def changes(state: str = "in_progress", environment: object = None, **differing: Any) -> tuple[Change, ...]:
    body = {
        "deployment_status": {"state": state, "environment": environment or "staging", "updated_at": AT},
        "deployment": {**DEPLOYMENT, **differing},
        "repository": {"full_name": "shop/checkout", "default_branch": "main"},
    }
    return read(plugins.sources()["github"], body, instant("2026-01-15T10:05:00Z")).changes


@pytest.mark.parametrize(
    ("state", "ended", "failed"),
    [("in_progress", False, False), ("success", True, False), ("error", True, True), ("inactive", True, False)],
)
def test_it_begins_and_ends(state: str, ended: bool, failed: bool) -> None:
    told = Change("github", "shop/checkout-77", "checkout", instant(AT), ended, failed, version="3b18e512dba7")
    assert changes(state, production_environment=True) == (told,)


@pytest.mark.parametrize("name", ["production", "Prod", "LIVE", "prod-eu", "eu.prod", "shop/production/web"])
def test_an_environments_name_says_that_it_is_production(name: str) -> None:
    assert changes(environment=name)


@pytest.mark.parametrize(
    "name", ["staging", "preproduction", "products", "olive", "nonprod", "non-prod", "pre-prod-eu", "live_demo", None]
)
def test_a_deployment_elsewhere_opens_none(name: str | None) -> None:
    assert changes(environment=name) == ()


@pytest.mark.parametrize(
    "differing", [{"id": None}, {"id": True}, {"production_environment": "false"}, {"production_environment": 1}]
)
def test_what_is_not_surely_one_opens_none(differing: dict[str, Any]) -> None:
    assert changes(**({"production_environment": True} | differing)) == ()

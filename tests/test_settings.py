"""Does the environment say everything at once, and does the team come out of the layer fit for this account?"""

import json
from dataclasses import replace

import pytest

from incident_bot.domain.errors import Invalid
from incident_bot.domain.shape import dump
from incident_bot.domain.team import ChannelSettings, Resource
from incident_bot.settings import REQUIRED, settings_from, team_from
from tests.building import a_service, a_team

ENVIRONMENT = {variable: f"value of {name}" for name, variable in REQUIRED.items()}


def test_every_variable_has_its_place() -> None:
    settings = settings_from(ENVIRONMENT)
    assert all(getattr(settings, name) == f"value of {name}" for name in REQUIRED)
    assert settings.endpoints == {}
    assert settings.machines["remediation"] == "value of remediation_machine"


def test_all_that_is_missing_or_empty_is_named_at_once() -> None:
    broken = {**ENVIRONMENT, "INCIDENTBOT_BUS": ""}
    del broken["INCIDENTBOT_TABLE"]
    with pytest.raises(Invalid, match=r"environment: missing: INCIDENTBOT_TABLE, INCIDENTBOT_BUS$"):
        settings_from(broken)


@pytest.mark.parametrize("text", ["{", "[]", '{"pagerduty": 1}'])
def test_endpoints_that_are_none_are_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid, match="INCIDENTBOT_ENDPOINTS"):
        settings_from({**ENVIRONMENT, "INCIDENTBOT_ENDPOINTS": text})


def test_the_team_gets_this_account_and_these_endpoints() -> None:
    pseudo = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:checkout"
    channels = {"pagerduty": ChannelSettings("https://vendor.test"), "webhook": ChannelSettings("https://other.test")}
    team = a_team(services={"checkout": a_service(resources=(Resource(pseudo),))}, channels=channels)
    given = {"AWS_REGION": "eu-north-1", "INCIDENTBOT_ACCOUNT": "123456789012", "INCIDENTBOT_PARTITION": "aws-cn"}
    endpoints = json.dumps({"pagerduty": "http://127.0.0.1:1"})
    settings = settings_from({**ENVIRONMENT, **given, "INCIDENTBOT_ENDPOINTS": endpoints})
    loaded = team_from(json.dumps(dump(team)), settings)
    (resource,) = loaded.services["checkout"].resources
    assert resource.arn == "arn:aws-cn:lambda:eu-north-1:123456789012:function:checkout"
    assert loaded.channels["pagerduty"].url == "http://127.0.0.1:1"
    assert replace(loaded, services={}, channels={}) == replace(team, services={}, channels={})
    assert loaded.channels["webhook"] == channels["webhook"]

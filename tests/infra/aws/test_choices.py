"""Context: what whoever deploys may choose, and what is refused."""

from pathlib import Path

import pytest
from aws_cdk import App

from incident_bot.domain.errors import Invalid
from infra.aws.choices import Choices, read
from infra.layer import ROOT


def _read(**context: str) -> Choices:
    return read(App(context=dict(context)).node)


def test_without_context_it_is_the_example_team_on_aws_that_keeps_its_data():
    chosen = _read()
    assert (chosen.stack, chosen.target, chosen.config) == ("IncidentBot", "aws", ROOT / "config")
    assert (chosen.keep_data, chosen.reserve, chosen.email, chosen.api_url) == (True, True, "", "")


def test_each_choice_is_taken():
    chosen = _read(
        stack="Night",
        target="local",
        config="/etc/team",
        removal="destroy",
        reserve="false",
        email="oncall@example.com",
        endpoints='{"pagerduty": "http://127.0.0.1:9"}',
        api_url="https://bot.example.com",
    )
    assert chosen == Choices(
        stack="Night",
        target="local",
        config=Path("/etc/team"),
        keep_data=False,
        email="oncall@example.com",
        reserve=False,
        endpoints={"pagerduty": "http://127.0.0.1:9"},
        api_url="https://bot.example.com",
    )


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("target", "laptop", "none of local, aws"),
        ("removal", "maybe", "none of retain, destroy"),
        ("reserve", "no", "none of true, false"),  # a text that is not empty is not a yes
        ("endpoints", "pagerduty", "is not JSON"),
        ("endpoints", '["pagerduty"]', "is not an object"),
    ],
)
def test_a_value_that_is_no_choice_is_refused(name, value, says):
    with pytest.raises(Invalid, match=says) as refused:
        _read(**{name: value})
    assert f"context {name}" in str(refused.value)

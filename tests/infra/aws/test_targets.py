"""The laptop's stack is the one that goes to AWS."""

from typing import Any

from infra.aws.permissions import lines
from infra.aws.readable import readable
from tests.infra.aws.reading import of_type, properties


def test_both_targets_grant_the_same(aws, local):
    assert lines(local) == lines(aws)


def test_both_targets_have_the_same_resources(aws, local):
    kinds = {name: resource["Type"] for name, resource in aws["Resources"].items()}
    assert {name: resource["Type"] for name, resource in local["Resources"].items()} == kinds | {}


def test_they_differ_in_code_and_addresses_alone(aws, local):
    differing = {name for name in aws["Resources"] if aws["Resources"][name] != local["Resources"][name]}
    code = {"Layer", *of_type(aws, "AWS::Lambda::Function")}
    assert differing <= code
    for name in differing - {"Layer"}:
        changed = {key for key in properties(aws, name) if properties(aws, name)[key] != properties(local, name)[key]}
        assert changed <= {"Code", "Environment"}


def test_sweep_reaches_the_api_by_the_address_it_is_given(aws, local):
    assert _api_url(aws) == "<HttpApi.ApiEndpoint>"
    assert _api_url(local) == "http://127.0.0.1:4599/_aws/execute-api/<HttpApi>/$default"


def _api_url(template: dict[str, Any]) -> str:
    return readable(properties(template, "SweepFunction")["Environment"]["Variables"]["INCIDENTBOT_API_URL"])

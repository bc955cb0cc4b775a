"""The laptop's stack is the one that goes to AWS."""

from typing import Any

from infra.aws.permissions import lines
from infra.aws.readable import readable
from tests.infra.aws.reading import of_type, properties

# What is meant by a token or a list of names, the emulator cannot tell: it asks for the right to everything.
UNTOLD = (
    *("states:SendTaskSuccess", "states:SendTaskFailure"),
    *("cloudwatch:DescribeAlarms", "ecs:DescribeServiceRevisions"),
)


def test_both_targets_grant_the_same(aws, local):
    assert _but_for_resources(lines(local)) == _but_for_resources(lines(aws))


def test_on_everything_is_granted_only_what_the_emulator_cannot_tell(aws, local):
    everything = {line for line in lines(local) if line.endswith(" *")} - set(lines(aws))
    assert everything == {line for line in lines(local) if _untold(line)}


def _but_for_resources(permissions: list[str]) -> list[str]:
    return sorted({" ".join(line.split()[:2]) if _untold(line) else line for line in permissions})


def _untold(line: str) -> bool:
    return line.split()[1] in UNTOLD


def test_they_differ_in_code_and_addresses_and_in_tls_which_the_emulator_has_none_of(aws, local):
    aws_resources, local_resources = _without_tls(aws), _without_tls(local)
    assert {name: r["Type"] for name, r in aws_resources.items()} == {n: r["Type"] for n, r in local_resources.items()}
    differing = {name for name in aws_resources if aws_resources[name] != local_resources[name]}
    roles = {line.split()[0] + "Role" for line in lines(aws) if _untold(line)}
    assert differing <= {"Layer", *roles, *of_type(aws, "AWS::Lambda::Function")}
    for name in differing - roles - {"Layer"}:
        changed = {key for key in properties(aws, name) if properties(aws, name)[key] != properties(local, name)[key]}
        assert changed <= {"Code", "Environment"}


def _without_tls(template: dict[str, Any]) -> dict[str, Any]:
    """The resources without the statements that refuse what comes without TLS, nor what CDK notes about them."""
    kept = {}
    for name, resource in template["Resources"].items():
        told = dict(resource.get("Properties", {}))
        if "PolicyDocument" in told:
            statements = [s for s in told["PolicyDocument"]["Statement"] if "aws:SecureTransport" not in str(s)]
            if not statements:
                continue
            told["PolicyDocument"] = {"Statement": statements}
        kept[name] = {"Type": resource["Type"], "Properties": told}
    return kept


def test_sweep_reaches_the_api_by_the_address_it_is_given(aws, local):
    assert _api_url(aws) == "<HttpApi.ApiEndpoint>"
    assert _api_url(local) == "http://127.0.0.1:4599/_aws/execute-api/<HttpApi>/$default"


def _api_url(template: dict[str, Any]) -> str:
    return readable(properties(template, "SweepFunction")["Environment"]["Variables"]["INCIDENTBOT_API_URL"])

"""Which deploys are reported, from what Lambda (moto) and ECS answer."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from incident_bot.domain.deploys import Change
from incident_bot.domain.team import Resource
from incident_bot.facts.recent_deploys import FACT
from incident_bot.ingest import deploying
from incident_bot.virtual.clock import T0
from incident_bot.virtual.surroundings import MemoryClients
from tests.building import a_service, a_team, a_world, an_incident

REGION = "us-east-1"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def code(release: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", f"RELEASE = {release!r}")
    return buffer.getvalue()


def a_function(name: str, *releases: str) -> str:
    """A function with a published version for each release; its ARN."""
    role = client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    made = client("lambda").create_function(
        FunctionName=name, Runtime="python3.12", Role=role, Handler="handler.handle", Code={"ZipFile": code("none")}
    )
    for release in releases:
        client("lambda").update_function_code(FunctionName=name, ZipFile=code(release))
        client("lambda").publish_version(FunctionName=name, Description=release)
    return made["FunctionArn"]


def gathered(*arns: str) -> Any:
    service = a_service(resources=tuple(Resource(arn) for arn in arns))
    clients = MemoryClients(**{"lambda": client("lambda")})
    return FACT.gather(an_incident(), a_world(a_team(services={"checkout": service}), clients=clients))


@pytest.mark.usefixtures("aws")
def test_an_alias_tells_the_version_it_points_at_and_the_one_before() -> None:
    arn = a_function("shop", "release 1 commit aaa", "release 2 commit bbb", "release 3 commit ccc")
    client("lambda").create_alias(FunctionName="shop", Name="live", FunctionVersion="2")
    finding = gathered(arn, f"{arn}:live")
    assert [(d["resource"], d["version"], d["previous"]) for d in finding.value] == [
        ("shop (live)", "version 2", "version 1")
    ]
    assert "release 2 commit bbb" in finding.text
    assert "before it version 1" in finding.text


@pytest.mark.usefixtures("aws")
def test_a_function_without_an_alias_tells_its_newest_version() -> None:
    finding = gathered(a_function("shop", *(f"release {n}" for n in range(1, 12))))
    assert [(d["version"], d["description"]) for d in finding.value] == [("version 11", "release 11")]


class Ecs:
    """A service in the middle of a deploy, as ECS describes it (moto forgets to record deploys)."""

    def describe_services(self, cluster: str, services: list[str]) -> Any:
        assert (cluster, services) == ("shop", ["cell-a"])
        definition = "arn:aws:ecs:us-east-1:000000000000:task-definition/orders:"
        replaced = {"status": "ACTIVE", "taskDefinition": definition + "1", "createdAt": T0 - timedelta(days=3)}
        primary = {"status": "PRIMARY", "taskDefinition": definition + "2", "createdAt": T0 - timedelta(minutes=5)}
        return {"services": [{"deployments": [primary, replaced]}]}


def test_an_ecs_service_tells_the_task_definition_it_is_to_run_and_the_one_it_replaces() -> None:
    arn = "arn:aws:ecs:us-east-1:000000000000:service/shop/cell-a"
    team = a_team(services={"checkout": a_service(resources=(Resource(arn),))})
    finding = FACT.gather(an_incident(), a_world(team, clients=MemoryClients(ecs=Ecs())))
    assert finding is not None
    assert finding.text == "cell-a: orders:2 since 2026-01-15 09:55 UTC, 5 min before the fault, before it orders:1"


@pytest.mark.usefixtures("aws")
def test_nothing_published_is_no_finding() -> None:
    assert gathered(a_function("shop")) is None


def test_a_service_that_is_not_configured_is_no_finding_and_asks_nobody() -> None:
    assert FACT.gather(an_incident(service="unknown"), a_world()) is None


def test_a_deploy_is_placed_in_time_against_the_fault() -> None:
    versions = {"Versions": [{"Version": "7", "LastModified": "2026-01-15T09:48:00.000+0000", "Description": "r7"}]}

    class Lambda:
        def get_paginator(self, _: str) -> "Lambda":
            return self

        def paginate(self, **_: str) -> list[Any]:
            return [versions]

    service = a_service()
    world = a_world(a_team(services={"checkout": service}), clients=MemoryClients(**{"lambda": Lambda()}))
    finding = FACT.gather(an_incident(started_at=T0), world)
    assert finding is not None
    assert finding.text == "checkout: version 7 (r7) since 2026-01-15 09:48 UTC, 12 min before the fault"


def test_what_a_pipeline_told_is_reported_with_how_it_ended() -> None:
    world = a_world(a_team(services={"checkout": a_service(resources=())}))
    for state, at in (("runs", 0), ("failed", 60)):
        change = Change("codedeploy", "d-1", "checkout", T0 + timedelta(seconds=at), state == "failed", failed=True)
        deploying.note(world, replace(change, version="1.42.0"))
    found = FACT.gather(an_incident(started_at=T0 + timedelta(minutes=2)), world)
    assert found is not None
    since = "since 2026-01-15 10:00 UTC, 2 min before the fault"
    assert found.text == f"checkout: 1.42.0 (codedeploy: failed) {since}"

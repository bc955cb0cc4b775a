"""What was deployed last, as Lambda and ECS show it of the resources and as pipelines told of the service."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incident_bot.domain.arn import kind_of
from incident_bot.domain.clock import instant, rfc3339
from incident_bot.domain.deploys import Deploy as Told
from incident_bot.domain.incident import Incident
from incident_bot.domain.team import Resource
from incident_bot.facts import Fact, Finding
from incident_bot.permission import Permission
from incident_bot.state import deploys as pipelines
from incident_bot.world import Clients, World

SHOWN = 4
LAMBDA = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"
ECS = "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:service/*"
CLUSTERS = "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:cluster/*"  # what the emulator asks for


@dataclass(frozen=True, slots=True)
class Deploy:
    """One deploy: what runs since when, in the deployer's own words (a release, a commit), and what ran before."""

    resource: str
    version: str
    at: datetime
    description: str = ""
    previous: str = ""


def gather(incident: Incident, world: World) -> Finding | None:
    """The deploys of the service and its resources, newest first; None where nothing is known of any."""
    service = world.team.services.get(incident.service)
    found = list(_deploys(service.resources, world.clients)) if service else []
    found += [_told(incident.service, told) for told in pipelines.read(world.store, incident.service)]
    deploys = sorted(found, key=lambda deploy: deploy.at, reverse=True)[:SHOWN]
    if not deploys:
        return None
    text = "; ".join(_said(deploy, incident.started_at) for deploy in deploys)
    value = [
        {
            "resource": deploy.resource,
            "version": deploy.version,
            "at": rfc3339(deploy.at),
            "description": deploy.description,
            "previous": deploy.previous,
        }
        for deploy in deploys
    ]
    return Finding(text, value, rfc3339(world.now()))


def _deploys(resources: tuple[Resource, ...], clients: Clients) -> Iterator[Deploy]:
    aliased = {r.arn.rpartition(":")[0] for r in resources if kind_of(r.arn) == "AWS::Lambda::Alias"}
    for resource in resources:
        kind = kind_of(resource.arn)
        if kind == "AWS::ECS::Service":
            yield from _of_service(resource.arn, clients.client("ecs"))
        elif kind == "AWS::Lambda::Alias":
            yield from _of_alias(resource.arn, clients.client("lambda"))
        elif kind == "AWS::Lambda::Function" and resource.arn not in aliased:
            yield from _of_function(resource.arn, clients.client("lambda"))


def _of_alias(arn: str, client: Any) -> Iterator[Deploy]:
    """The version that the alias points at: it went live no earlier than it was published."""
    *_, function, alias = arn.split(":")
    live = client.get_alias(FunctionName=function, Name=alias)["FunctionVersion"]
    versions = _versions(function, client)
    older = [v for v in versions if live.isdecimal() and int(v["Version"]) < int(live)]
    for version in versions:
        if version["Version"] == live:
            yield _published(f"{function} ({alias})", version, older[-1]["Version"] if older else "")


def _of_function(arn: str, client: Any) -> Iterator[Deploy]:
    """The newest published version."""
    function = arn.rpartition(":")[2]
    versions = _versions(function, client)
    if versions:
        yield _published(function, versions[-1], versions[-2]["Version"] if len(versions) > 1 else "")


def _versions(function: str, client: Any) -> list[dict[str, Any]]:
    """The published versions, oldest first; `$LATEST` is none."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    published = [v for page in pages for v in page["Versions"] if v["Version"].isdecimal()]
    return sorted(published, key=lambda version: int(version["Version"]))


def _published(name: str, version: dict[str, Any], previous: str) -> Deploy:
    at, description = instant(version["LastModified"]), version.get("Description", "")
    return Deploy(name, f"version {version['Version']}", at, description, f"version {previous}" if previous else "")


def _of_service(arn: str, client: Any) -> Iterator[Deploy]:
    """The deployment that is to run, and the one that it is replacing while both do."""
    _, cluster, name = arn.rpartition(":")[2].split("/")
    for service in client.describe_services(cluster=cluster, services=[name])["services"]:
        by_status = {deployment["status"]: deployment for deployment in service.get("deployments", ())}
        if primary := by_status.get("PRIMARY"):
            previous = by_status.get("ACTIVE", {}).get("taskDefinition", "")
            yield Deploy(name, _family(primary["taskDefinition"]), primary["createdAt"], previous=_family(previous))


def _told(service: str, told: Told) -> Deploy:
    """A deployment as its pipeline told of it."""
    ended = "failed" if told.failed else "succeeded" if told.ends else "runs"
    return Deploy(service, told.version or told.id, told.starts, f"{told.by or told.source}: {ended}")


def _family(task_definition: str) -> str:
    return task_definition.rpartition("/")[2]


def _said(deploy: Deploy, fault: datetime) -> str:
    words = f" ({deploy.description})" if deploy.description else ""
    before = f", before it {deploy.previous}" if deploy.previous else ""
    since = f"since {deploy.at:%Y-%m-%d %H:%M} UTC, {_apart(deploy.at, fault)}"
    return f"{deploy.resource}: {deploy.version}{words} {since}{before}"


def _apart(deployed: datetime, fault: datetime) -> str:
    minutes = round((fault - deployed).total_seconds() / 60)
    hours = abs(minutes) / 60
    span = f"{abs(minutes)} min" if hours < 2 else f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"
    return f"{span} before the fault" if minutes >= 0 else f"{span} after the fault began"


FACT = Fact(
    name="recent_deploys",
    reads="lambda:ListVersionsByFunction, lambda:GetAlias, ecs:DescribeServices and what pipelines told",
    gather=gather,
    deadline_seconds=3.0,
    ttl_seconds=60,
    permissions=(
        Permission(("lambda:ListVersionsByFunction", "lambda:GetAlias", "lambda:ListAliases"), (LAMBDA,)),
        Permission(("ecs:DescribeServices",), (ECS, CLUSTERS)),
    ),
)

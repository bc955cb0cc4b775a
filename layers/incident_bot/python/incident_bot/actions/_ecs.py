"""ECS services as the actions on them see them: their names, their description, and their share of the capacity."""

from collections.abc import Sequence
from typing import Any

from incident_bot.actions import Want
from incident_bot.domain.errors import Refused
from incident_bot.permission import Permission
from incident_bot.world import Clients


def describe(arn: str, clients: Clients) -> dict[str, Any]:
    """The service as ECS describes it; Refused where there is no active one."""
    name = called(arn)
    answer = clients.client("ecs").describe_services(cluster=name["cluster"], services=[name["service"]])
    found: Sequence[dict[str, Any]] = answer["services"]
    if not found or found[0]["status"] != "ACTIVE":
        raise Refused(f"{arn} is no active service", rule="target", status=409)
    return found[0]


def called(arn: str) -> dict[str, str]:
    """`service/CLUSTER/SERVICE` of the ARN as the ECS calls take it."""
    _, cluster, service = arn.rsplit(":", 1)[1].split("/")
    return {"cluster": cluster, "service": service}


def share(want: Want, clients: Clients) -> float:
    """The largest part of the peers' wanted tasks that one target holds; everything where that is not known."""
    desired = {peer.arn: int(describe(peer.arn, clients)["desiredCount"]) for peer in want.peers}
    total = sum(desired.values())
    if not total:
        return 1.0
    return max(desired.get(target.arn, total) for target in want.targets) / total


def describing(arn: str) -> Permission:
    """What `describe` needs."""
    return Permission(("ecs:DescribeServices",), named(arn))


def named(arn: str) -> tuple[str, ...]:
    """The service as policies name it: AWS asks for the service, the emulator for its cluster, which AWS ignores."""
    return (arn, f"{arn.partition(':service/')[0]}:cluster/{called(arn)['cluster']}")

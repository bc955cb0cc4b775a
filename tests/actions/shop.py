"""A small production behind moto, for the actions to work on: two functions and a service in two cells."""

import io
import json
import zipfile
from typing import Any

import boto3

from incident_bot.actions import Want
from incident_bot.domain.plan import Call
from incident_bot.domain.team import Resource
from incident_bot.virtual.surroundings import MemoryClients

REGION = "us-east-1"
FUNCTION = f"arn:aws:lambda:{REGION}:123456789012:function:checkout-api"
ALIAS = f"{FUNCTION}:live"
CELLS = tuple(f"arn:aws:ecs:{REGION}:123456789012:service/shop/orders-cell-{cell}" for cell in "ab")
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}


class Counted:
    """A client that counts its mutating calls by name and can stand in for one operation that moto lacks."""

    def __init__(self, client: Any, **instead: Any) -> None:
        self._client = client
        self._instead = instead
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("put_", "update_", "delete_")):
            self.calls.append(name)
        return self._instead.get(name) or getattr(self._client, name)


def want(*arns: str, **parameters: str | int) -> Want:
    """These targets, with all resources of their kind as peers; the first is the canary."""
    targets = tuple(Resource(arn, canary=i == 0) for i, arn in enumerate(arns))
    return Want(targets, parameters, tuple(Resource(arn) for arn in (CELLS if "ecs" in arns[0] else arns)))


def lambdas(versions: int = 3) -> Counted:
    """The function with that many published versions, its alias on the newest."""
    iam, client = boto3.client("iam", REGION), boto3.client("lambda", REGION)
    role = iam.create_role(RoleName="shop", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    code = {"ZipFile": _zip("1")}
    client.create_function(FunctionName="checkout-api", Runtime="python3.12", Role=role, Handler="h.h", Code=code)
    for number in range(versions):
        client.update_function_code(FunctionName="checkout-api", ZipFile=_zip(str(number)))
        client.publish_version(FunctionName="checkout-api")
    client.create_alias(FunctionName="checkout-api", Name="live", FunctionVersion=str(versions))
    return Counted(client)


def services(revisions: int = 2, **instead: Any) -> Counted:
    """The orders service in two cells of 2 and 6 tasks on the newest of that many task definitions."""
    client = boto3.client("ecs", REGION)
    client.create_cluster(clusterName="shop")
    for number in range(revisions):
        container = {"name": "orders", "image": f"orders:{number}", "memory": 64}
        client.register_task_definition(family="orders", containerDefinitions=[container])
    for arn, count in zip(CELLS, (2, 6), strict=True):
        name = arn.rsplit("/", 1)[1]
        client.create_service(
            cluster="shop", serviceName=name, taskDefinition=f"orders:{revisions}", desiredCount=count
        )
    return Counted(client, **{"list_service_deployments": lambda **_: {"serviceDeployments": []}, **instead})


def world(**clients: Any) -> MemoryClients:
    """Clients by service."""
    return MemoryClients(**{name.rstrip("_"): client for name, client in clients.items()})


def reserved(client: Any) -> int | None:
    """What is reserved for the function now."""
    found: int | None = client.get_function_concurrency(FunctionName=FUNCTION).get("ReservedConcurrentExecutions")
    return found


def running(client: Any, arn: str) -> str:
    """The revision of the task definition that a cell runs."""
    found = client.describe_services(cluster="shop", services=[arn.rsplit("/", 1)[1]])["services"][0]
    return str(found["taskDefinition"]).rsplit("/", 1)[1]


def task_definition(revision: int) -> str:
    """The ARN of that revision."""
    return f"arn:aws:ecs:{REGION}:123456789012:task-definition/orders:{revision}"


def inverse(call: Call | None) -> Call:
    """The inverse call, which must be there."""
    assert call is not None
    return call


def _zip(text: str) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("h.py", f"def h(e, c): return {text!r}")
    return body.getvalue()

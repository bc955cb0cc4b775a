"""Replace all tasks of an ECS service by fresh ones of the same task definition: cures a leak or a stuck process."""

from typing import Any

from incident_bot.actions import APPLIED, DRIFTED, NOT_APPLIED, Action, Want, make
from incident_bot.actions._ecs import called, describe, describing, named, share
from incident_bot.domain.arn import name_of
from incident_bot.domain.plan import Call, Plan, Step
from incident_bot.permission import Permission
from incident_bot.world import Clients


def plan(want: Want, clients: Clients) -> Plan:
    """Force one new deployment of each service. There is nothing to undo: the same task definition goes on running."""
    steps = tuple(_step(resource.arn, resource.cell, resource.canary, clients) for resource in want.targets)
    text = "; ".join(
        f"{name_of(s.target)}: new deployment of {name_of(s.forward.before['task_definition'])}" for s in steps
    )
    return Plan(ACTION.name, steps, share=share(want, clients), text=text, parameters=want.parameters)


def _step(arn: str, cell: str, canary: bool, clients: Clients) -> Step:
    service = describe(arn, clients)
    before = {"deployment": _primary(service), "task_definition": service["taskDefinition"]}
    after = {"deployment": "a newer one", "task_definition": service["taskDefinition"]}
    arguments = {**called(arn), "forceNewDeployment": True}
    return Step(arn, Call(arn, "ecs", "update_service", arguments, before, after), None, cell, canary)


def look(call: Call, clients: Clients) -> str:
    """A second restart would be one too many, so what tells is whether a deployment newer than the planned-on runs."""
    service = describe(call.target, clients)
    if service["taskDefinition"] != call.before["task_definition"]:
        return DRIFTED
    return NOT_APPLIED if _primary(service) == call.before["deployment"] else APPLIED


def _primary(service: dict[str, Any]) -> str:
    return next((str(d["id"]) for d in service.get("deployments", ()) if d["status"] == "PRIMARY"), "")


def permissions(arn: str) -> tuple[Permission, ...]:
    """Update this service."""
    return (Permission(("ecs:UpdateService",), named(arn)),)


def reads(arn: str) -> tuple[Permission, ...]:
    """Describe this service."""
    return (describing(arn),)


ACTION = Action(
    name="restart_ecs_service",
    does="Replace all tasks of an ECS service by fresh ones.",
    takes="AWS::ECS::Service",
    plan=plan,
    look=look,
    make=make,
    permissions=permissions,
    reads=reads,
    example={"target": "arn:aws:ecs:us-east-1:000000000000:service/shop/orders-cell-a", "parameters": {}},
)

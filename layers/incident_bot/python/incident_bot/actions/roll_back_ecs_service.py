"""Put an ECS service back on the task definition it ran before, so that a bad deploy stops serving."""

from incident_bot.actions import Action, Want, compared, make
from incident_bot.actions._ecs import called, describe, describing, named, share
from incident_bot.domain.arn import name_of
from incident_bot.domain.errors import Refused
from incident_bot.domain.plan import Call, Plan, Step
from incident_bot.permission import Permission
from incident_bot.world import Clients


def plan(want: Want, clients: Clients) -> Plan:
    """Set each service's task definition to the earlier one; the inverse sets the present one again."""
    planned = [_step(resource.arn, resource.cell, resource.canary, clients) for resource in want.targets]
    text = "; ".join(f"{name_of(step.target)}: {_move(step)} ({how})" for step, how in planned)
    steps = tuple(step for step, _ in planned)
    return Plan(ACTION.name, steps, share=share(want, clients), text=text, parameters=want.parameters)


def _step(arn: str, cell: str, canary: bool, clients: Clients) -> tuple[Step, str]:
    current = str(describe(arn, clients)["taskDefinition"])
    earlier, how = _earlier(arn, current, clients)
    before, after = {"task_definition": current}, {"task_definition": earlier}
    name = called(arn)
    forward = Call(arn, "ecs", "update_service", {**name, "taskDefinition": earlier}, before, after)
    inverse = Call(arn, "ecs", "update_service", {**name, "taskDefinition": current}, after, before)
    return Step(arn, forward, inverse, cell, canary), how


def _earlier(arn: str, current: str, clients: Clients) -> tuple[str, str]:
    """What ran before, and how that is known. ECS keeps a service's deployments for 90 days; where it has none left,
    the newest active revision below the present one is the best that is known, and the plan says so."""
    active = _older_active(current, clients)
    deployed = _deployed(arn, clients)
    ran = [definition for definition in deployed if definition in active]
    if ran:
        return ran[0], "ran here before"
    if deployed or not active:
        raise Refused(f"{arn} has no earlier deployment that is still active", rule="no earlier version", status=409)
    return active[0], "the revision before: ECS keeps none of its deployments"


def _older_active(current: str, clients: Clients) -> list[str]:
    """The active revisions of the same family below the present one, newest first."""
    family = current.rsplit("/", 1)[-1].rsplit(":", 1)[0]
    pages = clients.client("ecs").get_paginator("list_task_definitions")
    found = pages.paginate(familyPrefix=family, status="ACTIVE", sort="DESC")
    arns = (arn for page in found for arn in page["taskDefinitionArns"])
    older = [a for a in arns if a.rsplit(":", 1)[0] == current.rsplit(":", 1)[0] and _number(a) < _number(current)]
    return sorted(older, key=_number, reverse=True)


def _deployed(arn: str, clients: Clients) -> list[str]:
    """The task definitions of the service's successful deployments, newest first."""
    ecs, name = clients.client("ecs"), called(arn)
    listed = ecs.list_service_deployments(**name, status=["SUCCESSFUL"], maxResults=20)["serviceDeployments"]
    ordered = sorted(listed, key=lambda deployment: deployment["createdAt"], reverse=True)
    revisions = list(dict.fromkeys(deployment["targetServiceRevisionArn"] for deployment in ordered))
    if not revisions:
        return []
    described = ecs.describe_service_revisions(serviceRevisionArns=revisions)["serviceRevisions"]
    ran = {revision["serviceRevisionArn"]: str(revision["taskDefinition"]) for revision in described}
    return [ran[revision] for revision in revisions if revision in ran]


def look(call: Call, clients: Clients) -> str:
    """Compare the task definition that the service runs now."""
    return compared(describe(call.target, clients)["taskDefinition"], call, "task_definition")


def _number(definition: str) -> int:
    return int(definition.rsplit(":", 1)[1])


def _move(step: Step) -> str:
    before, after = (str(state["task_definition"]) for state in (step.forward.before, step.forward.after))
    return f"{name_of(before)} -> {name_of(after)}"


def permissions(arn: str) -> tuple[Permission, ...]:
    """Update this service."""
    return (Permission(("ecs:UpdateService",), named(arn)),)


def reads(arn: str) -> tuple[Permission, ...]:
    """Describe this service and what it ran. Task definitions cannot be listed per resource."""
    prefix, _, resource = arn.partition(":service/")
    revisions = f"{prefix}:service-revision/{resource}/*"
    return (
        describing(arn),
        Permission(("ecs:ListServiceDeployments",), named(arn)),
        Permission(("ecs:DescribeServiceRevisions",), (revisions,)),
        Permission(("ecs:ListTaskDefinitions",), ("*",)),
    )


ACTION = Action(
    name="roll_back_ecs_service",
    does="Put an ECS service back on the task definition it ran before.",
    takes="AWS::ECS::Service",
    plan=plan,
    look=look,
    make=make,
    permissions=permissions,
    reads=reads,
    example={"target": "arn:aws:ecs:us-east-1:000000000000:service/shop/orders-cell-a", "parameters": {}},
)

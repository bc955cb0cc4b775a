"""Point a Lambda alias at the version published before the one it serves, so that a bad release stops serving."""

from collections.abc import Mapping
from typing import Any

from incident_bot.actions import Action, Want, compared
from incident_bot.domain.arn import name_of, resolved
from incident_bot.domain.errors import Refused
from incident_bot.domain.plan import Call, Plan, Step
from incident_bot.permission import Permission
from incident_bot.world import Clients


def plan(want: Want, clients: Clients) -> Plan:
    """Move each alias to the newest version older than its own; Refused where it is weighted or has none before."""
    steps = tuple(_step(resource.arn, resource.cell, resource.canary, clients) for resource in want.targets)
    moves = (
        f"{name_of(s.target)}: version {s.forward.before['version']} -> {s.forward.after['version']}" for s in steps
    )
    share = 1 / max(len(want.peers), 1)
    return Plan(ACTION.name, steps, share=share, text="; ".join(moves), parameters=want.parameters)


def _step(arn: str, cell: str, canary: bool, clients: Clients) -> Step:
    alias = _alias(arn, clients)
    if alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
        raise Refused(f"{arn} is split between two versions: a release is under way", rule="weighted alias", status=409)
    current = alias["FunctionVersion"]
    earlier = _earlier(arn, current, clients)
    before, after = {"version": current}, {"version": earlier}
    forward = Call(arn, "lambda", "update_alias", _arguments(arn, earlier), before, after)
    inverse = Call(arn, "lambda", "update_alias", _arguments(arn, current), after, before)
    return Step(arn, forward, inverse, cell, canary)


def _version(state: Mapping[str, Any]) -> str:
    return str(state["version"])


def _arguments(arn: str, version: str) -> dict[str, str]:
    return {"FunctionName": resolved(arn), "Name": arn.rsplit(":", 1)[1], "FunctionVersion": version}


def _earlier(arn: str, current: str, clients: Clients) -> str:
    if not current.isdigit():
        raise Refused(f"{arn} serves {current}, which has no predecessor", rule="no earlier version", status=409)
    name = resolved(arn).rsplit(":", 1)[1]
    pages = clients.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=name)
    numbers = (int(v["Version"]) for page in pages for v in page["Versions"] if v["Version"].isdigit())
    older = [number for number in numbers if number < int(current)]
    if not older:
        raise Refused(f"{arn} has no version before {current}", rule="no earlier version", status=409)
    return str(max(older))


def look(call: Call, clients: Clients) -> str:
    """Compare the version that the alias serves now; a weighted one was changed by somebody else."""
    alias = _alias(call.target, clients)
    weighted = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")
    return compared(None if weighted else alias["FunctionVersion"], call, "version")


def release(call: Call, clients: Clients) -> None:
    """Make the call on exactly the revision of the alias that still serves what the plan saw."""
    alias = _alias(call.target, clients)
    if alias["FunctionVersion"] != call.before["version"]:
        raise Refused(f"{call.target} serves {alias['FunctionVersion']} now", rule="drift", status=409)
    client = clients.client(call.service)
    client.update_alias(**call.arguments, RevisionId=alias["RevisionId"])


def _alias(arn: str, clients: Clients) -> dict[str, Any]:
    found: dict[str, Any] = clients.client("lambda").get_alias(FunctionName=resolved(arn), Name=arn.rsplit(":", 1)[1])
    return found


def permissions(arn: str) -> tuple[Permission, ...]:
    """Move this alias (IAM authorises alias calls on the function's ARN; the emulator as ListAliases)."""
    return (Permission(("lambda:GetAlias", "lambda:ListAliases", "lambda:UpdateAlias"), (resolved(arn), arn)),)


def reads(arn: str) -> tuple[Permission, ...]:
    """Read this alias and the function's versions."""
    looks = ("lambda:GetAlias", "lambda:ListAliases", "lambda:ListVersionsByFunction")
    return (Permission(looks, (resolved(arn), arn)),)


ACTION = Action(
    name="roll_back_lambda_alias",
    does="Move a Lambda alias back to the version published before the one it serves.",
    takes="AWS::Lambda::Alias",
    plan=plan,
    look=look,
    make=release,
    permissions=permissions,
    reads=reads,
    example={"target": "arn:aws:lambda:us-east-1:000000000000:function:checkout-api:live", "parameters": {}},
)

"""Clamp a Lambda function's reserved concurrency, so that a storm of cold starts cannot drown what it depends on."""

from incident_bot.actions import Action, Want, compared, make
from incident_bot.domain.arn import name_of
from incident_bot.domain.errors import Refused
from incident_bot.domain.plan import Call, Plan, Step
from incident_bot.permission import Permission
from incident_bot.world import Clients


def plan(want: Want, clients: Clients) -> Plan:
    """Set the limit on each function; the inverse sets what was reserved before, or reserves nothing again."""
    limit = want.parameters.get("limit")
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise Refused("needs a parameter `limit`, a whole number of executions", rule="parameter", status=409)
    steps = tuple(_step(resource.arn, resource.cell, resource.canary, limit, clients) for resource in want.targets)
    reserved = ((name_of(s.target), _named(s.forward.before["reserved"])) for s in steps)
    text = "; ".join(f"{name}: reserved concurrency {before} -> {limit}" for name, before in reserved)
    share = 1 / max(len(want.peers), 1)
    return Plan(ACTION.name, steps, share=share, text=text, parameters=want.parameters)


def _step(arn: str, cell: str, canary: bool, limit: int, clients: Clients) -> Step:
    reserved = _reserved(arn, clients)
    if reserved is not None and reserved <= limit:
        raise Refused(f"{arn} is limited to {reserved} already", rule="already so", status=409)
    before, after = {"reserved": reserved}, {"reserved": limit}
    wanted = {"FunctionName": arn, "ReservedConcurrentExecutions": limit}
    forward = Call(arn, "lambda", "put_function_concurrency", wanted, before, after)
    if reserved is None:
        inverse = Call(arn, "lambda", "delete_function_concurrency", {"FunctionName": arn}, after, before)
    else:
        inverse = Call(
            arn,
            "lambda",
            "put_function_concurrency",
            {"FunctionName": arn, "ReservedConcurrentExecutions": reserved},
            after,
            before,
        )
    return Step(arn, forward, inverse, cell, canary)


def look(call: Call, clients: Clients) -> str:
    """Compare what is reserved now."""
    return compared(_reserved(call.target, clients), call, "reserved")


def _reserved(arn: str, clients: Clients) -> int | None:
    # GetFunctionConcurrency would tell less, but the emulator takes it for the right to change the limit.
    answer = clients.client("lambda").get_function(FunctionName=arn)
    reserved = answer.get("Concurrency", {}).get("ReservedConcurrentExecutions")
    return None if reserved is None else int(reserved)


def _named(reserved: int | None) -> str:
    return "none" if reserved is None else str(reserved)


def permissions(arn: str) -> tuple[Permission, ...]:
    """Set and remove the limit of this function."""
    return (Permission(("lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency"), (arn,)),)


def reads(arn: str) -> tuple[Permission, ...]:
    """Read the limit of this function."""
    return (Permission(("lambda:GetFunction",), (arn,)),)


ACTION = Action(
    name="limit_lambda_concurrency",
    does="Limit how many copies of a Lambda function run at once, until it is lifted again.",
    takes="AWS::Lambda::Function",
    plan=plan,
    look=look,
    make=make,
    permissions=permissions,
    reads=reads,
    parameters={"limit": int},
    temporary=True,
    example={"target": "arn:aws:lambda:us-east-1:000000000000:function:checkout-api", "parameters": {"limit": 5}},
)

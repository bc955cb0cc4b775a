"""`propose`, `approve`, `reject` and `undo`: what people order about actions."""

from typing import Annotated, Any

import typer

from incident_bot.cli import showing
from incident_bot.cli.session import Session, session_of

Id = Annotated[str, typer.Argument(metavar="APPROVAL", help="The approval, as `show` lists it.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it stands on the timeline.")]
Digest = Annotated[
    str, typer.Option("--digest", help="The digest of the plan that you read; without it you are asked.")
]

PROPOSE = """Ask for an action on one of the service's resources. You are the requester; somebody else approves.

Examples:

  incidentbot propose 0m5k2v1xq3a7fzc restart_ecs_service arn:aws:ecs:eu-west-1:111122223333:service/shop/orders \\
      --reason "it leaks memory"

  incidentbot propose 0m5k2v1xq3a7fzc limit_lambda_concurrency arn:aws:lambda:...:function:checkout-api \\
      --parameter limit=20 --reason "shed the surge"
"""
APPROVE = """Approve exactly the plan of a digest. Without --digest the plan is shown and you are asked.

Example: incidentbot approve 0m5k2v1xq3a7fzc-p1 --reason "go ahead"
"""
REJECT = """Reject a plan.

Example: incidentbot reject 0m5k2v1xq3a7fzc-p1 --reason "wrong function"
"""
UNDO = """Order that an action is undone: the one mutation that the kill switch does not stop.

Example: incidentbot undo 0m5k2v1xq3a7fzc-a1 --reason "it made things worse"
"""


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("propose", help=PROPOSE)(propose)
    app.command("approve", help=APPROVE)(approve)
    app.command("reject", help=REJECT)(reject)
    app.command("undo", help=UNDO)(undo)


def propose(  # noqa: PLR0917 - Typer passes each by its name
    context: typer.Context,
    incident: Annotated[str, typer.Argument(metavar="ID", help="The incident.")],
    action: Annotated[str, typer.Argument(metavar="ACTION", help="The action's name.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The resource's ARN, or `cells`.")],
    reason: Why,
    parameter: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter of the action.")
    ] = None,
) -> None:
    """Propose an action."""
    session = session_of(context)
    parameters = dict(_parameter(text) for text in parameter or ())
    body = {"action": action, "target": target, "reason": reason, "parameters": parameters}
    proposed = session.client.post("incidents", incident, "actions", body=body)
    lines = [
        f"{proposed['id']} is {proposed['state']}: {proposed['verdict']} by {proposed['rule']}",
        f"plan digest {proposed['plan_digest']}",
    ]
    if proposed["approval"]:
        lines.append(f'somebody else approves it: incidentbot approve {proposed["approval"]} --reason "..."')
    session.tell(proposed, *lines)


def approve(context: typer.Context, approval: Id, reason: Why, digest: Digest = "") -> None:
    """Approve a plan."""
    _decide(session_of(context), approval, "approve", reason, digest)


def reject(context: typer.Context, approval: Id, reason: Why, digest: Digest = "") -> None:
    """Reject a plan."""
    _decide(session_of(context), approval, "reject", reason, digest)


def undo(
    context: typer.Context,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="The action, as `show` lists it.")],
    reason: Why,
) -> None:
    """Order an undo."""
    session = session_of(context)
    taken = session.client.post("actions", action, "undo", body={"reason": reason})
    session.tell(taken, f"{action} is being undone on the word of {taken['by']}")


def _decide(session: Session, approval: str, decision: str, reason: str, digest: str) -> None:
    """Show the plan; bind the decision to the digest that was shown, or to the one that was given."""
    asked = session.client.get("approvals", approval)
    session.say(*showing.approval(asked))
    if not digest:
        digest = _confirmed(session, asked, decision)
    body = {"decision": decision, "reason": reason, "digest": digest}
    decided = session.client.post("approvals", approval, body=body)
    session.tell(decided, f"{approval} is {decided['state']}")


def _confirmed(session: Session, asked: dict[str, Any], decision: str) -> str:
    if asked["state"] != "pending":
        return str(asked["digest"])  # the API says no, and why
    if not session.around.asks():
        session.say(f"nobody is here to confirm: give --digest {asked['digest']}")
        raise typer.Exit(1)
    if not typer.confirm(f"{decision} this plan?", err=True):
        session.say("nothing was decided")
        raise typer.Exit(1)
    return str(asked["digest"])


def _parameter(text: str) -> tuple[str, str | int]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--parameter")
    return name, int(value) if value.isdecimal() else value

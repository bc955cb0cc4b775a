"""`kill-switch` stops everything that mutates, lets it go on, or shows how it stands."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from incident_bot.cli import showing
from incident_bot.cli.session import session_of

KILL_SWITCH = """Stop everything that mutates (on), let it go on (off), or show how it stands.

On: nothing is applied; what is half way stays journaled and locked until `incidentbot undo` or the switch goes off.

Example: incidentbot kill-switch on --reason "deploy in progress"
"""


class Turn(StrEnum):
    """What to do with it."""

    ON = "on"
    OFF = "off"
    SHOW = "show"


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("kill-switch", help=KILL_SWITCH)(kill_switch)


def kill_switch(
    context: typer.Context,
    turn: Annotated[Turn, typer.Argument(metavar="on|off|show")],
    reason: Annotated[str, typer.Option(help="Why; needed to turn it, and kept on its trail.")] = "",
) -> None:
    """Turn or show the kill switch."""
    session = session_of(context)
    if turn is not Turn.SHOW and not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    if turn is Turn.SHOW:
        found = session.client.get("kill-switch")
    else:
        found = session.client.post("kill-switch", body={"on": turn is Turn.ON, "reason": reason})
    session.tell(found, showing.pairs(_spoken(found)))


def _spoken(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "kill switch": "on: nothing may act" if found["on"] else "off",
        "by": found["by"] or "nobody yet",
        "reason": found["reason"],
        "since": found["at"] or "the deployment",
    }

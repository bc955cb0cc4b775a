"""`split`, `merge` and `corrections`: what people put right where correlation was wrong."""

from typing import Annotated

import typer

from incident_bot.cli import showing
from incident_bot.cli.incidents import Id
from incident_bot.cli.session import session_of

Why = Annotated[str, typer.Option("--reason", help="Why; it stands on the timeline of both.")]

SPLIT = """Part alerts from an incident: they become one of their own, which pages where it needs to.

What fires in an incident, with its fingerprint and group, is in `show ID`. Correlation leaves both as they are then.

Examples:

  incidentbot split 0m5k2v1xq3a7fzc --group search@0115T100000 --reason "another fault"

  incidentbot split 0m5k2v1xq3a7fzc --alerts v1:9f2c... --alerts v1:07aa... --reason "the nightly batch"
"""
MERGE = """Merge an incident into another one that is the same fault.

Example: incidentbot merge 0m5k2v1xq3a7fzc 0m5k2v1xq3a7fz9 --reason "the database behind both"
"""
CORRECTIONS = """List the services whose alerts people joined or parted: what they depend on may be described wrongly.

Example: incidentbot corrections --json
"""


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("split", help=SPLIT)(split)
    app.command("merge", help=MERGE)(merge)
    app.command("corrections", help=CORRECTIONS)(corrections)


def split(
    context: typer.Context,
    incident: Id,
    reason: Why,
    alerts: Annotated[list[str] | None, typer.Option("--alerts", metavar="FINGERPRINT", help="An alert.")] = None,
    group: Annotated[list[str] | None, typer.Option("--group", metavar="NAME", help="A whole group.")] = None,
) -> None:
    """Split an incident."""
    if not alerts and not group:
        raise typer.BadParameter("name what to part from it", param_hint="--alerts or --group")
    session = session_of(context)
    body = {"alerts": alerts or [], "groups": group or [], "reason": reason}
    done = session.client.post("incidents", incident, "split", body=body)
    pages = "it pages" if done["pages"] else "it pages nobody"
    session.tell(done, f"{done['incident']} is split off from {incident}; {pages}")


def merge(
    context: typer.Context,
    incident: Id,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The incident that it belongs to.")],
    reason: Why,
) -> None:
    """Merge an incident."""
    session = session_of(context)
    done = session.client.post("incidents", incident, "merge", body={"into": into, "reason": reason})
    session.tell(done, f"{incident} is merged into {into}")


def corrections(context: typer.Context) -> None:
    """List the corrections."""
    session = session_of(context)
    pairs = session.client.get("corrections")
    session.tell(pairs, showing.pairs_of_services(pairs))

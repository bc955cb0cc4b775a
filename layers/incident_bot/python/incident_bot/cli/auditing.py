"""`audit verify` proves an incident's trail whole, entry by entry."""

from typing import Annotated

import typer

from incident_bot.cli.session import session_of
from incident_bot.domain.timeline import flaws

VERIFY = """Prove that a timeline is whole: nothing in it was changed, dropped, inserted or put in another order.

The hashes are computed here, from the entries as they are stored. `controls` is the trail of the kill switch,
`silences` that of the silences.

Example: incidentbot audit verify 0m5k2v1xq3a7fzc
"""


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    audit = typer.Typer(help="Audit trails.", no_args_is_help=True)
    audit.callback()(lambda: None)
    audit.command("verify", help=VERIFY)(verify)
    app.add_typer(audit, name="audit")


def verify(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(metavar="ID", help="An incident, `controls` or `silences`.")],
) -> None:
    """Verify a trail."""
    session = session_of(context)
    trail = session.client.get("audit", subject)
    wrong = flaws(trail["entries"], trail["seq"], trail["head"])
    told = {"id": subject, "entries": len(trail["entries"]), "whole": not wrong, "flaws": wrong}
    if wrong:
        session.tell(told)
        session.say(*wrong)
        raise typer.Exit(1)
    session.tell(told, f"{len(trail['entries'])} entries, each following from the one before")

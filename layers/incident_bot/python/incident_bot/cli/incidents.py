"""`list`, `show`, `ack`, `resolve`, `label` and `labels`: what people see and say of incidents."""

from typing import Annotated

import typer

from incident_bot.cli import showing
from incident_bot.cli.session import session_of
from incident_bot.domain.incident import State
from incident_bot.domain.label import Label

Id = Annotated[str, typer.Argument(metavar="ID", help="The incident.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it stands on the timeline.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("list", help=LIST)(list_incidents)
    app.command("show", help="Show one incident: facts, actions, timeline, postmortem draft.")(show)
    app.command("ack", help=ACK)(acknowledge)
    app.command("resolve", help=RESOLVE)(resolve)
    app.command("label", help=LABEL)(label)
    app.command("labels", help=LABELS)(labels)


LIST = """List the newest incidents; with --all also those that are only recorded, and told to nobody.

Example: incidentbot list --state active --service checkout --json
"""
ACK = """Take an incident on: escalation stops, a worse alert still pages.

Example: incidentbot ack 0m5k2v1xq3a7fzc --reason "looking at it"
"""
RESOLVE = """Say that an incident is over: its source is asked once, the quiet period is skipped.

Example: incidentbot resolve 0m5k2v1xq3a7fzc --reason "the supplier is back"
"""
LABEL = """Say whether an incident was worth waking somebody; its last label counts.

What is called a false positive often enough becomes a ticket instead of a page.

Example: incidentbot label 0m5k2v1xq3a7fzc false-positive --reason "the nightly backup does that"
"""
LABELS = """List how often people called the incidents of each rule and each kind of alert false positives.

Example: incidentbot labels --json
"""


def list_incidents(
    context: typer.Context,
    state: Annotated[State | None, typer.Option(help="Only incidents in this state.")] = None,
    service: Annotated[str, typer.Option(help="Only incidents of this service.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Also what is only recorded (noise).")] = False,
) -> None:
    """List incidents."""
    session = session_of(context)
    noise = "true" if everything else "false"
    rows = session.client.get("incidents", state=state.value if state else "", service=service, noise=noise)
    session.tell(rows, showing.incidents(rows))


def show(context: typer.Context, incident: Id) -> None:
    """Show one incident."""
    session = session_of(context)
    found = session.client.get("incidents", incident)
    session.tell(found, *showing.incident(found))


def acknowledge(context: typer.Context, incident: Id, reason: Why = "") -> None:
    """Acknowledge an incident."""
    session = session_of(context)
    taken = session.client.post("incidents", incident, "acknowledge", body={"reason": reason})
    session.tell(taken, f"{taken['by']} takes {incident} on")


def resolve(context: typer.Context, incident: Id, reason: Why = "") -> None:
    """Resolve an incident."""
    session = session_of(context)
    taken = session.client.post("incidents", incident, "resolve", body={"reason": reason})
    session.tell(taken, f"{taken['by']} says that {incident} is over; its source is asked")


def label(
    context: typer.Context,
    incident: Id,
    said: Annotated[Label, typer.Argument(metavar="LABEL", help="false-positive or actionable.")],
    reason: Why = "",
) -> None:
    """Label an incident."""
    session = session_of(context)
    found = session.client.post("incidents", incident, "label", body={"label": said.value, "reason": reason})
    session.tell(found, f"{found['by']} calls {incident} {found['label']}")


def labels(context: typer.Context) -> None:
    """List the tallies."""
    session = session_of(context)
    rates = session.client.get("labels")
    session.tell(rates, showing.rates(rates))

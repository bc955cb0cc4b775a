"""`send` delivers a payload as its vendor would; `quarantine list` tells what could not be read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.table import Table

from incident_bot.cli.payloads import Payload, message_of, payload
from incident_bot.cli.session import Session, safe, session_of
from incident_bot.cli.teams import described
from incident_bot.domain import heartbeat
from incident_bot.domain.errors import Invalid

SEND = """Deliver a payload as its vendor would, authentication included.

A webhook source's file is posted as it is; an alarm (an SNS notification, or the JSON inside one) is published to the
alarm topic; an EventBridge event goes to the signals queue, where the rule would put it.

Examples:

  incidentbot send alertmanager.json

  incidentbot send broken.json --source generic
"""
QUARANTINE = "Deliveries that could not be read: kept, with the reason."


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("send", help=SEND)(send)
    quarantine = typer.Typer(help=QUARANTINE, no_args_is_help=True)
    quarantine.command("list", help="List what is in quarantine, newest first.")(list_quarantine)
    app.add_typer(quarantine, name="quarantine")


def send(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)],
    source: Annotated[str, typer.Option(help="Whose payload it is, where the file does not tell.")] = "",
    config: Annotated[Path, typer.Option(help="The configuration that describes the team's own sources.")] = Path(
        "config"
    ),
) -> None:
    """Send a payload."""
    session = session_of(context)
    given = payload(file, session.around.now(), source, lambda: described(config))
    if given.source.authentication is not None:
        _post(session, given)
    elif "Message" in given.envelope:
        _publish(session, given)
    else:
        _enqueue(session, given)


def _post(session: Session, given: Payload) -> None:
    """To the webhook, with the vendor's authentication over exactly these bytes."""
    authentication, name = given.source.authentication, given.source.name
    if authentication is None:
        raise Invalid(f"{name} has no webhook", where="--source")
    if name == heartbeat.SOURCE:
        raise Invalid("a heartbeat is a POST to /v1/heartbeats/NAME, with the secret of its own", where="--source")
    message_id = f"msg_{uuid4().hex}"
    headers = authentication.sign(
        given.body, session.place.secret(given.source.sender), session.around.now(), message_id
    )
    status, answer = session.client.deliver(name, given.body, headers)
    told = {"source": name, "status": status, "answer": answer}
    if status >= 300:
        session.tell(told)
        session.say(safe(f"{name} webhook answered {status}: {answer.get('detail', answer)}"))
        raise typer.Exit(1)
    session.tell(told, safe(f"{name} webhook answered {status}: {json.dumps(answer)}"))


def _publish(session: Session, given: Payload) -> None:
    """To the alarm topic, as CloudWatch and other services do."""
    message = given.envelope["Message"]
    about = message.get("AlarmName", "") if isinstance(message, Mapping) else given.source.name
    subject = safe(f"ALARM: {about}")[:99].encode("ascii", "replace").decode()
    published = session.aws("sns").publish(
        TopicArn=session.place.alarm_topic, Subject=subject, Message=message_of(given.envelope)
    )
    told = {"source": given.source.name, "topic": session.place.alarm_topic, "message_id": published["MessageId"]}
    session.tell(told, f"published to the alarm topic as {published['MessageId']}")


def _enqueue(session: Session, given: Payload) -> None:
    """To the signals queue, as the EventBridge rule does. Each sending is an event of its own."""
    event = {**given.envelope, "id": str(uuid4())} if given.envelope else None
    body = json.dumps(event) if event else given.body.decode(errors="replace")
    sent = session.aws("sqs").send_message(QueueUrl=session.place.queue, MessageBody=body)
    told = {"source": given.source.name, "queue": session.place.queue, "message_id": sent["MessageId"]}
    session.tell(told, f"put into the signals queue as {sent['MessageId']}")


def list_quarantine(context: typer.Context) -> None:
    """List quarantined deliveries."""
    session = session_of(context)
    found: list[dict[str, Any]] = session.client.get("quarantine")
    table = Table("at", "source", "delivery", "reason", box=None, pad_edge=False, header_style="dim")
    for entry in found:
        table.add_row(entry["at"][:19], entry["source"], safe(entry["delivery_id"]), safe(entry["reason"]))
    session.tell(found, table if found else "nothing is in quarantine")

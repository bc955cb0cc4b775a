"""`deploy-window` tells of a deployment that no source tells of, so that its window opens and closes."""

from typing import Annotated, Any

import typer

from incident_bot.cli import showing
from incident_bot.cli.session import Session, session_of

OPEN = """Say that a deployment of a service begins: what deploy windows of rules.yaml fit is recorded until it ends.

Example: incidentbot deploy-window open checkout --version 1.42.0
"""
CLOSE = """Say that it ended: what still fires is told now, or after the settling time where the deployment succeeded.

Example: incidentbot deploy-window close checkout --failed
"""

Service = Annotated[str, typer.Argument(metavar="SERVICE", help="The service that is deployed.")]
Identifier = Annotated[str, typer.Option("--id", help="The pipeline's own id of the deployment.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="Deployments that no source tells of.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("open", help=OPEN)(begin)
    group.command("close", help=CLOSE)(end)
    group.command("list", help="List the last deployments of a service, whoever told of them.")(listed)
    app.add_typer(group, name="deploy-window")


def begin(
    context: typer.Context,
    service: Service,
    identifier: Identifier = "",
    version: Annotated[str, typer.Option(help="What is deployed.")] = "",
) -> None:
    """A deployment begins."""
    session = session_of(context)
    body = {"service": service, "state": "started", "id": identifier, "version": version}
    _tell(session, session.client.post("deploys", body=body))


def end(
    context: typer.Context,
    service: Service,
    identifier: Identifier = "",
    failed: Annotated[bool, typer.Option("--failed", help="It failed: there is nothing to settle.")] = False,
) -> None:
    """A deployment ended."""
    session = session_of(context)
    state = "failed" if failed else "succeeded"
    _tell(session, session.client.post("deploys", body={"service": service, "state": state, "id": identifier}))


def listed(context: typer.Context, service: Service) -> None:
    """List deployments."""
    session = session_of(context)
    _tell(session, session.client.get("deploys", service))


def _tell(session: Session, found: list[dict[str, Any]]) -> None:
    columns = ("service", "id", "told by", "version", "began", "ended")
    rows = [
        (
            deploy["service"],
            deploy["id"],
            deploy["by"] or deploy["source"],
            deploy["version"],
            deploy["starts"],
            f"{deploy['ends']}{' (failed)' if deploy['failed'] else ''}" if deploy["ends"] else "runs",
        )
        for deploy in found
    ]
    session.tell(found, showing.rows(columns, rows) if rows else "no deployments")

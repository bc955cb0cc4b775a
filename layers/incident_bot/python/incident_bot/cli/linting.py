"""`lint-alarms` names alarms that would never reach a human or never resolve, before they had to."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from incident_bot.cli import alarms as reading
from incident_bot.cli.session import Session, safe, session_of
from incident_bot.cli.teams import placed
from incident_bot.domain.lint import Alarm, Around, Finding, linted

LINT = """Name the alarms that would never reach a human, or whose incidents would never end, each with the reason.

TEMPLATE is a synthesized CloudFormation template; without one, the account's alarms are looked at (DescribeAlarms, and
the attributes of the topics they publish to). The bot's EventBridge rule hears of every change of an alarm in its own
account and region, whatever the alarm's actions are: say --no-rule where the bot is elsewhere and alarms come by a
topic alone. A template that holds such a rule speaks for itself; of others --no-rule is assumed. With --config, alarms
that no service owns are named too. Exit status 1 where something was found.

Examples:

  incidentbot lint-alarms --config config

  incidentbot lint-alarms cdk.out/Shop.template.json --rule
"""


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("lint-alarms", help=LINT)(lint_alarms)


def lint_alarms(
    context: typer.Context,
    templates: Annotated[
        list[Path] | None, typer.Argument(metavar="TEMPLATE", exists=True, dir_okay=False, readable=True)
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="The team's configuration, for owners.", exists=True, file_okay=False)
    ] = None,
    rule: Annotated[
        bool | None,
        typer.Option("--rule/--no-rule", help="Whether the bot's rule is in the alarms' account and region."),
    ] = None,
) -> None:
    """Lint alarms."""
    session = session_of(context)
    number, findings = 0, list[Finding]()
    for alarms, around in _read(session, templates or [], config, rule):
        number += len(alarms)
        findings += linted(alarms, around)
    told = {"alarms": number, "findings": [asdict(finding) for finding in findings]}
    lines = [safe(f"{finding.alarm}: {finding.rule}: {finding.reason}") for finding in findings]
    session.tell(told, *lines, f"{number} alarms, {len(findings)} findings")
    if findings:
        raise typer.Exit(1)


def _read(
    session: Session, templates: list[Path], config: Path | None, rule: bool | None
) -> Iterator[tuple[list[Alarm], Around]]:
    texts = {str(file): file.read_text(encoding="utf-8", errors="replace") for file in templates}
    owns = reading.owners(placed(config, "\n".join(texts.values()))) if config else None
    if not templates:
        yield reading.of_account(session.aws, owns, rule is not False, session.around.now())
        return
    for _, template in reading.alarms_in(texts):
        yield reading.of_template(template, owns, rule)

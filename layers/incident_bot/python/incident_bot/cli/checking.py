"""`check` tells everything that is wrong with a team's configuration."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from incident_bot.cli.session import session_of

CHECK = """Check a team's configuration: everything that is wrong, by file, line and field.

What was to be reviewed (`review_by`) and was not is a warning. Exit status 1 where anything else was found.

Example: incidentbot check config
"""


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("check", help=CHECK)(check)


def check(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False)] = Path("config"),
) -> None:
    """Check a configuration."""
    from incident_bot import configuration  # noqa: PLC0415 - pydantic and YAML, for few commands alone

    session = session_of(context)
    problems = configuration.diagnose(directory, today=session.around.now().date())
    told, wrong = [asdict(problem) for problem in problems], any(not problem.warning for problem in problems)
    session.tell(told, *([] if wrong else [f"{directory} is valid"]))
    session.say(*(str(problem) for problem in problems))
    if wrong:
        raise typer.Exit(1)

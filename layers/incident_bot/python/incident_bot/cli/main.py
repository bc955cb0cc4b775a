"""`incidentbot`: see incidents and act on them, from any shell.

Every command takes `--json`, `--as`, `--stack`, `--profile` and `--region`, wherever they stand.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from incident_bot.cli import (
    approvals,
    auditing,
    checking,
    controls,
    correcting,
    deliveries,
    deploying,
    explaining,
    exporting,
    incidents,
    linting,
    replaying,
    suppressing,
)
from incident_bot.cli.place import Options
from incident_bot.cli.session import Around, Session
from incident_bot.domain.errors import IncidentBotError

VALUED = ("--as", "--stack", "--profile", "--region")
HELP = """See incidents and act on them.

Examples:

  incidentbot list --state active

  incidentbot show 0m5k2v1xq3a7fzc

  incidentbot ack 0m5k2v1xq3a7fzc --as bob

  incidentbot approve 0m5k2v1xq3a7fzc-p1 --reason "traffic is real, clamp it"

  incidentbot send alert.json

Exit status: 0 done, 1 refused or failed (the reason is on stderr), 2 wrong usage.
"""


class Everywhere(TyperGroup):
    """A group whose own options may stand behind its commands too, and whose refusals are sentences, not tracebacks."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, hoisted(args))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except IncidentBotError as error:
            typer.echo(f"incidentbot: {error}", err=True)
            raise typer.Exit(1) from error


def hoisted(arguments: Sequence[str]) -> list[str]:
    """The arguments with the options that belong to every command in front; what follows `--` stays where it is."""
    first: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            return [*first, *rest, argument, *waiting]
        if argument in VALUED:
            first += [argument, *([value] if (value := next(waiting, None)) is not None else [])]
        elif argument == "--json" or argument.startswith(tuple(f"{name}=" for name in VALUED)):
            first.append(argument)
        else:
            rest.append(argument)
    return first + rest


app = typer.Typer(
    cls=Everywhere, help=HELP, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
)


@app.callback()
def options(  # noqa: PLR0917 - Typer passes each by its name
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")] = False,
    operator: Annotated[
        str, typer.Option("--as", metavar="OPERATOR", help="Sign as that operator of the laptop target.")
    ] = "",
    stack: Annotated[str, typer.Option(help="A stack on AWS instead of the laptop target.")] = "",
    profile: Annotated[str, typer.Option(help="The AWS profile to use.")] = "",
    region: Annotated[str, typer.Option(help="The AWS region of the stack.")] = "",
) -> None:
    """Say where the command goes and how it speaks."""
    around = context.obj if isinstance(context.obj, Around) else Around.here()
    chosen = Options(stack=stack, profile=profile, region=region, operator=operator)
    context.obj = Session(chosen, as_json, around)


for module in (
    *(incidents, correcting, approvals, controls, suppressing, deploying),
    *(deliveries, explaining, checking, auditing, exporting, replaying, linting),
):
    module.add_to(app)

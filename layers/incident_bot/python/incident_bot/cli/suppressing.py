"""`silence` keeps alerts from paging for a while, and `ledger` tells what each window suppressed, and missed."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from incident_bot.cli import showing
from incident_bot.cli.session import session_of
from incident_bot.domain.clock import instant, rfc3339

ADD = """Silence what all the patterns fit: it is recorded, resolves as ever, and pages if it still fires at the end.

A pattern is by source, service, title, status, resource, severity, category or labels.NAME; `*` stands for anything.

Example: incidentbot silence add --match service=checkout --match 'labels.az=a' --for 2h --reason "moving az a"
"""
EXPIRE = """End a silence now: what it suppressed and still fires is told at once.

Example: incidentbot silence expire silence-0m5k2v1xq3a7fzc --reason "done earlier"
"""
LEDGER = """Tell what each window (silence, maintenance, deploy, inhibition) suppressed, whom that would have woken, and
what was missed: what would have paged and was real, since it still fired at the end or was labelled actionable.

Examples:

  incidentbot ledger --days 30

  incidentbot ledger silence-0m5k2v1xq3a7fzc
"""
SPANS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Window = Annotated[str, typer.Argument(metavar="ID", help="The silence, as `silence list` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="Keep alerts from paging for a while.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("add", help=ADD)(add)
    group.command("list", help="List the silences that wait or are active, and with --days those that ended.")(listed)
    group.command("show", help="Show a silence and all that it suppressed.")(show)
    group.command("expire", help=EXPIRE)(expire)
    app.add_typer(group, name="silence")
    app.command("ledger", help=LEDGER)(ledger)


def add(
    context: typer.Context,
    match: Annotated[list[str], typer.Option(metavar="NAME=PATTERN", help="What it fits; all of several.")],
    lasts: Annotated[str, typer.Option("--for", metavar="SPAN", help="How long: 90s, 30m, 2h, 7d; 30 days at most.")],
    reason: Annotated[str, typer.Option(help="Why; kept on its trail and on what it suppresses.")],
    starts: Annotated[str, typer.Option("--from", metavar="TIME", help="RFC 3339; now unless it is given.")] = "",
) -> None:
    """Add a silence."""
    session = session_of(context)
    begins = _moment(starts) if starts else None
    ends = (begins or session.around.now()) + _span(lasts)
    body = {"match": dict(map(_pattern, match)), "ends": rfc3339(ends), "reason": reason}
    made = session.client.post("silences", body=body | ({"starts": rfc3339(begins)} if begins else {}))
    session.tell(made, f"{made['id']} is {made['state']} until {made['ends']}")


def listed(
    context: typer.Context, days: Annotated[int, typer.Option(min=0, max=90, help="And those that ended since.")] = 0
) -> None:
    """List silences."""
    session = session_of(context)
    found = session.client.get("silences", days=str(days))
    session.tell(found, _windows(found, "no silences"))


def show(context: typer.Context, identifier: Window) -> None:
    """Show one silence."""
    session = session_of(context)
    found = session.client.get("ledger", identifier)
    session.tell(found, *_window(found))


def expire(
    context: typer.Context,
    identifier: Window,
    reason: Annotated[str, typer.Option(help="Why; kept on its trail.")] = "",
) -> None:
    """End a silence."""
    session = session_of(context)
    ended = session.client.post("silences", identifier, "expire", body={"reason": reason})
    session.tell(ended, f"{identifier} is over; {ended['fires']} of its series still fire and are told now")


def ledger(
    context: typer.Context,
    identifier: Annotated[str, typer.Argument(metavar="[ID]", help="One window, with all that it suppressed.")] = "",
    days: Annotated[int, typer.Option(min=0, max=90, help="Windows that ended in so many days, and open ones.")] = 7,
) -> None:
    """Show the ledger, or one window of it."""
    if identifier:
        return show(context, identifier)
    session = session_of(context)
    found = session.client.get("ledger", days=str(days))
    return session.tell(found, _windows(found, "no window suppressed anything"))


def _windows(found: Iterable[Mapping[str, Any]], none: str) -> RenderableType:
    columns = ("id", "state", "match", "ends", "by", "reason", "suppressed", "would page", "missed")
    rows = [
        (
            window["id"],
            window["state"],
            _matchers(window),
            window["ends"],
            window["author"],
            window["reason"],
            window["suppressed"],
            window["would_have_paged"],
            _missed(window),
        )
        for window in found
    ]
    return showing.rows(columns, rows) if rows else none


def _window(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    yield f"{found['id']}  {found['state']}  {_matchers(found)}"
    yield f"{found['starts']} to {found['ends']} by {found['author']}: {found['reason']}"
    yield f"suppressed {found['suppressed']}, would have paged {found['would_have_paged']}, missed {_missed(found)}"
    columns = ("incident", "service", "title", "severity", "would have paged", "at", "times", "at the end", "label")
    if found["lines"]:
        yield showing.rows(columns, (_line(line) for line in found["lines"]))


def _line(line: Mapping[str, Any]) -> tuple[object, ...]:
    whom = line["whom"] if line["would_have_paged"] else "nobody"
    told = (line["incident"], line["service"], line["title"], line["severity"], whom)
    return (*told, line["at"], line["times"], line["outcome"], line["label"])


def _matchers(window: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={pattern}" for name, pattern in window["match"].items())


def _missed(window: Mapping[str, Any]) -> object:
    return "not known yet" if window["missed"] is None else window["missed"]


def _pattern(text: str) -> tuple[str, str]:
    name, separator, pattern = text.partition("=")
    if not (separator and name and pattern):
        raise typer.BadParameter(f"{text!r} is not NAME=PATTERN", param_hint="--match")
    return name.strip(), pattern.strip()


def _span(text: str) -> timedelta:
    parts = re.fullmatch(r"(\d{1,7})([smhd])", text.strip())
    if not parts or not int(parts[1]):
        raise typer.BadParameter(f"{text!r} is no span such as 90s, 30m, 2h or 7d", param_hint="--for")
    return timedelta(**{SPANS[parts[2]]: int(parts[1])})


def _moment(text: str) -> datetime:
    try:
        return instant(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--from") from error

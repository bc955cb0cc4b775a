"""`export` gets the deliveries that the bot received as a recording, which `replay` reads."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from incident_bot.cli.session import Session, session_of
from incident_bot.domain.clock import instant, rfc3339

EXPORT = """Get the deliveries that the bot received, as a recording for `incidentbot replay`.

They are kept for 30 days, and appear here some two minutes after they came. A TIME is RFC 3339, or how long ago: 90m,
24h, 7d. Headers are never kept; in bodies, secrets are redacted: what stands under keys like token, password or
api_key, bearer and basic credentials, AWS keys, users and tokens in URLs. The export is told on the trail `controls`.

Examples:

  incidentbot export --since 24h -o day.jsonl

  incidentbot export --since 2026-01-15T10:00:00Z --until 2026-01-15T12:00:00Z --source alertmanager -o storm.jsonl
"""
AGO = re.compile(r"(\d{1,6})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("export", help=EXPORT)(export)


def export(
    context: typer.Context,
    since: Annotated[str, typer.Option(metavar="TIME", help="From when on.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write it.", dir_okay=False)],
    until: Annotated[str, typer.Option(metavar="TIME", help="Before when; now, if it is not said.")] = "",
    source: Annotated[str, typer.Option(help="Of that source alone.")] = "",
) -> None:
    """Export recorded deliveries."""
    session = session_of(context)
    now = session.around.now()
    first, last = _moment(since, now, "--since"), _moment(until, now, "--until") if until else now
    number = 0
    unfinished = out.with_name(f"{out.name}.part")  # what is cut short is not taken for the whole
    with unfinished.open("w", encoding="ascii") as file:
        for line in _lines(session, {"since": rfc3339(first), "until": rfc3339(last), "source": source}):
            file.write(f"{line}\n")
            number += 1
    unfinished.replace(out)
    told = {"file": str(out), "deliveries": number, "since": rfc3339(first), "until": rfc3339(last), "source": source}
    session.tell(told, f"{number} deliveries in {out}; try a change on them: incidentbot replay {out} --against DIR")


def _lines(session: Session, wanted: dict[str, str]) -> Iterator[str]:
    """The lines of all pages; a delivery that the queue or Firehose repeated is there once."""
    seen: set[tuple[str, str, str]] = set()
    cursor = ""
    while True:
        page = session.client.post("exports", body={**wanted, "cursor": cursor})
        for line in page["lines"]:
            entry = json.loads(line)
            identity = entry["at"], entry["source"], entry["delivery_id"]
            if identity not in seen:
                seen.add(identity)
                yield line
        cursor = page["cursor"]
        if not cursor:
            return


def _moment(text: str, now: datetime, option: str) -> datetime:
    if ago := AGO.fullmatch(text):
        return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        return instant(text)
    except ValueError as wrong:
        raise typer.BadParameter(
            f"{text!r} is neither RFC 3339 with an offset nor like 24h", param_hint=option
        ) from wrong

"""`replay` lets recorded deliveries go through the product's own handlers, without AWS."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from incident_bot.cli import comparing
from incident_bot.cli.session import Session, safe, session_of
from incident_bot.cli.teams import placed
from incident_bot.domain.clock import instant, rfc3339
from incident_bot.domain.errors import Invalid
from incident_bot.virtual.clock import T0

if TYPE_CHECKING:
    from incident_bot.ingest.recording import Recorded
    from incident_bot.virtual.replay import Replay

REPLAY = """Let recorded deliveries go through the product's own handlers and machines on a virtual clock, without AWS.

FILE holds one JSON object a line: {"at", "delivery_id", "source", "body"}. A numeric `at` is seconds after --t0, a
string is RFC 3339. Nobody acknowledges anything in a replay. `incidentbot export` makes such a recording.

With --against DIR it tells what that other configuration would have paged more, less, or to somebody else. Escalation
steps are left out of both.

Examples:

  incidentbot replay storm.jsonl --config config --assign assign.jsonl --pages pages.jsonl

  incidentbot replay last-week.jsonl --config config --against config-with-my-change
"""


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("replay", help=REPLAY)(replay_files)


def replay_files(  # noqa: PLR0917 - Typer passes each by its name
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, readable=True)],
    config: Annotated[Path, typer.Option(help="The team's configuration.", exists=True, file_okay=False)] = Path(
        "config"
    ),
    against: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Another configuration to compare with.", exists=True, file_okay=False),
    ] = None,
    t0: Annotated[str, typer.Option(metavar="TIME", help="What numeric times count from.")] = rfc3339(T0),
    assign: Annotated[Path | None, typer.Option(metavar="OUT", help="Where each delivery belongs at the end.")] = None,
    pages: Annotated[Path | None, typer.Option(metavar="OUT", help="Each page, in order of time.")] = None,
) -> None:
    """Replay recordings."""
    from incident_bot.virtual.replay import replay  # noqa: PLC0415 - all the product's functions, for this command alone

    session = session_of(context)
    origin = _moment(t0)
    text = {file: file.read_text(encoding="utf-8", errors="surrogateescape") for file in files}
    deliveries = [delivery for file in files for delivery in _deliveries(file, text[file], origin)]
    spoken_of = "\n".join(text.values())
    found = replay(deliveries, placed(config, spoken_of), origin)
    for out, lines in ((assign, found.assign), (pages, found.pages)):
        if out is not None:
            out.write_text("".join(json.dumps(line) + "\n" for line in lines))
    if against is not None:
        _tell_difference(session, found, replay(deliveries, placed(against, spoken_of), origin), len(deliveries))
        return
    session.tell(_told(found, len(deliveries)), *_spoken(found, len(deliveries)))


def _tell_difference(session: Session, before: "Replay", after: "Replay", deliveries: int) -> None:
    from incident_bot.virtual.compare import compare  # noqa: PLC0415 - as above

    found = compare(before, after)
    parts = before, after, found, deliveries
    session.tell(comparing.document(*parts), *comparing.lines(*parts))


def _deliveries(file: Path, text: str, origin: datetime) -> Iterator["Recorded"]:
    from incident_bot.virtual.replay import recorded  # noqa: PLC0415 - as above

    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield recorded(line, number, origin)
        except Invalid as wrong:
            raise Invalid(wrong.reason, where=str(file)) from wrong


def _moment(text: str) -> datetime:
    try:
        return instant(text)
    except ValueError as wrong:
        raise typer.BadParameter(f"{text!r} is no RFC 3339 time with an offset", param_hint="--t0") from wrong


def _told(found: "Replay", deliveries: int) -> dict[str, Any]:
    return {
        "deliveries": deliveries,
        "incidents": len(found.incidents),
        "noise": sum(incident.noise for incident in found.incidents),
        "quarantined": len(found.quarantined),
        "pages": list(found.pages),
    }


def _spoken(found: "Replay", deliveries: int) -> Iterator[str]:
    titles: Mapping[str, str] = {incident.id: incident.title for incident in found.incidents}
    yield f"{deliveries} deliveries, {len(found.incidents)} incidents, {len(found.pages)} pages"
    yield from _pages(found.pages, titles)
    for line in found.quarantined:
        yield safe(f"  in quarantine: {line['delivery_id']}: {line['reason']}")


def _pages(pages: Iterable[Mapping[str, Any]], titles: Mapping[str, str]) -> Iterator[str]:
    for page in pages:
        title = titles.get(page["incident"], "")
        yield safe(f"  {page['t']:>9.1f} s  {page['to']}  {title} ({len(page['delivery_ids'])} deliveries so far)")

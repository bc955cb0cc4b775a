"""How incidents and approvals look on a terminal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from incident_bot.cli.session import safe

STYLES = {"sev1": "bold red", "sev2": "red", "sev3": "yellow"}
Document = Mapping[str, Any]


def incidents(rows: Sequence[Document]) -> RenderableType:
    """The list, or that there is none."""
    if not rows:
        return "no incidents"
    table = _table("id", "severity", "state", "service", "title", "opened", "alerts", "pages")
    for row in rows:
        state = f"{row['state']} (noise)" if row["noise"] else row["state"]
        table.add_row(
            row["id"],
            Text(row["severity"], STYLES.get(row["severity"], "")),
            state,
            safe(row["service"]),
            safe(row["title"]),
            _moment(row["opened_at"]),
            str(row["alerts"]),
            str(row["pages"]),
        )
    return table


def incident(found: Document) -> Iterator[RenderableType]:
    """Everything about one incident."""
    yield Text(f"{found['id']}  {found['severity']}  {found['state']}  {safe(found['title'])}", "bold")
    yield f"service {safe(found['service'])}, owner {found['owner'] or 'nobody'}, opened {_moment(found['opened_at'])}"
    for name in ("acknowledged_by", "commander", "reopens", "merged_into", "suppressed_by", "resolved_at"):
        if found[name]:
            yield f"{name.replace('_', ' ')}: {_moment(found[name]) if name.endswith('_at') else safe(found[name])}"
    if found["evidence"]:
        yield safe(f"confidence {found['confidence']:.0%}: {found['evidence']}")
    if found["label"]:
        said, why = found["label"], found["label"]["reason"]
        yield safe(f"label: {said['label']} ({said['by']}{f': {why}' if why else ''})")
    if found["summary"]:
        yield safe(found["summary"])
    yield from _series(found["series"])
    yield from _facts(found["facts"])
    yield from _actions(found["actions"], found["approvals"])
    yield Text("\nTimeline", "bold")
    yield _timeline(found["timeline"])
    if found["postmortem"]:
        yield Text("\nPostmortem draft", "bold")
        yield safe(found["postmortem"])


def approval(found: Document) -> Iterator[RenderableType]:
    """What an approval would let happen, call by call, and the digest that binds it."""
    yield Text(f"{found['id']}  {found['state']}", "bold")
    yield safe(found["text"])
    for number, step in enumerate(found["plan"]["steps"], start=1):
        yield f"  {number}. {_call(step['forward'])}"
        if step.get("inverse"):
            yield f"     undo: {_call(step['inverse'])}"
    yield f"share of capacity {found['plan']['share']:.0%}, cost {found['plan']['cost_usd_per_hour']:g} USD an hour"
    if found["requester"]:
        yield f"requested by {found['requester']}"
    yield f"needs {found['needed']} approver(s){' with role ' + found['role'] if found['role'] else ''}"
    yield f"expires {_moment(found['expires_at'])}"
    yield f"digest {found['digest']}"


def rates(found: Sequence[Document]) -> RenderableType:
    """What people said of each rule's and kind of alert's incidents, or that nobody said anything."""
    if not found:
        return "nobody has labelled an incident yet"
    table = _table("of", "name", "actionable", "false positive", "rate")
    for rate in found:
        counts = (str(rate["actionable"]), str(rate["false_positive"]), f"{rate['false_positive_rate']:.0%}")
        table.add_row(rate["of"], safe(rate["name"]), *counts)
    return table


def rows(columns: Sequence[str], entries: Iterable[Sequence[object]]) -> RenderableType:
    """A table of entries under those columns."""
    table = _table(*columns)
    for entry in entries:
        table.add_row(*(safe(value) for value in entry))
    return table


def pairs_of_services(found: Sequence[Document]) -> RenderableType:
    """Which services' alerts people joined or parted, or that nobody did."""
    if not found:
        return "nobody has corrected anything yet"
    table = _table("services", "joined", "parted")
    for pair in found:
        table.add_row(safe(" and ".join(pair["services"])), str(pair["joined"]), str(pair["parted"]))
    return table


def pairs(found: Mapping[str, Any]) -> RenderableType:
    """Names and values, one a line."""
    table = Table.grid(padding=(0, 2))
    for name, value in found.items():
        table.add_row(name, safe(value))
    return table


def _series(series: Sequence[Document]) -> Iterator[RenderableType]:
    if series:
        yield Text("\nFires", "bold")
    for one in series:
        yield safe(f"  {one['title']} ({one['source']})  {one['service']}  {one['severity']}  {_moment(one['since'])}")
        yield safe(f"      {one['fingerprint']}  group {one['group']}")


def _facts(facts: Document) -> Iterator[RenderableType]:
    if facts:
        yield Text("\nFacts", "bold")
    for name, fact in facts.items():
        text = f"not found out: {fact['failure']}" if fact["failure"] else f"{fact['text']}  [{fact['source']}]"
        yield f"  {name}: {safe(text)}"


def _actions(actions: Sequence[Document], approvals: Sequence[Document]) -> Iterator[RenderableType]:
    if actions:
        yield Text("\nActions", "bold")
    for action in actions:
        yield f"  {action['id']}  {action['state']}  {action['action']} on {safe(action['target'])}"
        yield f"      {action['verdict']} by {action['rule']}: {safe(action['reason'])}"
        if action["text"]:
            yield f"      {safe(action['text'])}"
    for found in approvals:
        yield f"  {found['id']}  {found['state']}  expires {_moment(found['expires_at'])}  digest {found['digest']}"


def _timeline(entries: Sequence[Document]) -> RenderableType:
    table = _table("#", "at", "who", "kind", "what")
    for entry in entries:
        why = f"\n  why: {safe(entry['reason'])}" if entry["reason"] else ""
        what = f"{safe(entry['text'])}{why}"
        table.add_row(str(entry["seq"]), entry["at"][11:23], safe(entry["actor"]), entry["kind"], what)
    return table


def _call(call: Document) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in call["arguments"].items())
    return safe(f"{call['service']} {call['operation']}({arguments})")


def _moment(text: str) -> str:
    return f"{text[:10]} {text[11:19]} UTC"


WHOLE = ("id", "incident")  # what people copy into the next command


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in WHOLE)
    return table

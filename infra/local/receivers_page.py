"""The stand-in receivers on one plain HTML page, with every foreign character shown and none obeyed."""

import html
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from infra.local.received import Record
from infra.local.vendors import PagerDutyAlert

SHOWN = 100
LONGEST = 500
STYLE = (
    "body{font:15px/1.4 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.3rem .6rem;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}.no{color:#a00}"
)


def page(channels: Mapping[str, Sequence[Record]], alerts: Sequence[PagerDutyAlert], modes: Mapping[str, str]) -> str:
    """The whole page: PagerDuty's alerts, then what each channel got, newest first."""
    sections = [_alerts(alerts)]
    for name, records in channels.items():
        sections.append(f"<h2>{plain(name)}: {len(records)} received, answering {plain(modes[name])}</h2>")
        sections.append(_requests(list(records)[-SHOWN:][::-1]))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Incident Bot: stand-in receivers</title>'
        f"<style>{STYLE}</style></head><body><h1>Stand-in receivers</h1>"
        f"<p>What Incident Bot sent to PagerDuty, a signed webhook and SNS.</p>{''.join(sections)}</body></html>"
    )


def _alerts(alerts: Sequence[PagerDutyAlert]) -> str:
    rows = [(a.state, a.severity, a.summary, a.dedup_key, a.triggers, a.opened_at, a.changed_at) for a in alerts]
    heads = ("state", "severity", "summary", "dedup_key", "triggers", "opened", "changed")
    return f"<h2>PagerDuty alerts: {len(rows)}</h2>" + _table(heads, rows[::-1])


def _requests(records: Sequence[Record]) -> str:
    rows = [
        (
            record["received_at"],
            "accepted" if record["accepted"] else "refused",
            record["reason"],
            ", ".join(f"{key}: {value}" for key, value in record.items() if key not in _OWN and value is not None),
        )
        for record in records
    ]
    return _table(("received", "verdict", "reason", "what"), rows)


_OWN = ("received_at", "accepted", "status", "reason", "headers", "body", "routing_key")


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    head = "".join(f"<th>{plain(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(value: Any) -> str:
    mark = ' class="no"' if value == "refused" else ""
    return f"<td{mark}>{plain(value)}</td>"


def plain(value: Any) -> str:
    """Foreign text as inert HTML: escaped, cut, and with control and direction characters made visible."""
    text = str(value)
    if len(text) > LONGEST:
        text = text[:LONGEST] + "…"
    visible = "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in text)
    return html.escape(visible, quote=True)

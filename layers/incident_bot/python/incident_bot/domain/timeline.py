"""The timeline of an incident: numbered entries, each sealed with the hash of the one before."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incident_bot.domain.clock import rfc3339
from incident_bot.domain.plaintext import legible
from incident_bot.domain.rulebook import grounds

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Line:
    """What happened: who did what kind of thing, in words, and why; of a decision of triage also by which rule.

    `kind` is one of: signal, state, decision, page, approval, action, call, fact, note, closure.
    """

    kind: str
    text: str
    reason: str = ""
    actor: str = "incident-bot"
    rule: str = ""


def sealed(incident: str, seq: int, at: datetime, line: Line, previous: str) -> dict[str, Any]:
    """The timeline entry number `seq` (from 1), with `hash` = sha256 of its content and the previous entry's hash."""
    entry: dict[str, Any] = {
        "incident": incident,
        "seq": seq,
        "at": rfc3339(at),
        "actor": line.actor,
        "kind": line.kind,
        "text": legible(line.text),
        "reason": legible(grounds(line.rule, line.reason)),
    }
    return {**entry, "hash": _hash(entry, previous)}


def _hash(entry: Mapping[str, Any], previous: str) -> str:
    body = {k: entry.get(k) for k in ("incident", "seq", "at", "actor", "kind", "text", "reason")}
    canonical = json.dumps([previous, body], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def flaws(entries: Iterable[Mapping[str, Any]], seq: int, head: str) -> list[str]:
    """What is wrong with a timeline that should have `seq` entries ending in hash `head`; empty when it is whole.

    Finds a changed, dropped, inserted or reordered entry, and entries missing at the end.
    """
    found: list[str] = []
    previous, expected = GENESIS, 1
    for entry in entries:
        number, hashed = int(entry.get("seq") or 0), str(entry.get("hash") or "")
        if number != expected:
            found.append(f"entry {expected} is missing: entry {number} stands in its place")
        if hashed != _hash(entry, previous):
            found.append(f"entry {number} does not follow from the one before: it or its predecessor was changed")
        previous, expected = hashed, number + 1
    if expected - 1 != seq:
        found.append(f"the incident counts {seq} entries, the timeline ends at {expected - 1}")
    elif previous != (head or GENESIS):
        found.append("the last entry is not the one the incident recorded")
    return found

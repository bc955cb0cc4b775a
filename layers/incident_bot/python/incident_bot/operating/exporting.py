"""Exporting: the recorded deliveries of a time, page by page; what they hold is told on the trail of who asked."""

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from incident_bot.domain.clock import instant, rfc3339
from incident_bot.domain.errors import Invalid
from incident_bot.domain.team import Person
from incident_bot.ingest.recording import GZIP
from incident_bot.state import controls
from incident_bot.world import World

PAGE_BYTES = 2_000_000  # of an answer, which escapes every quote once more and may have 6 MB
PAGE_OBJECTS = 100  # read for one answer, which has 30 s
LISTED = 1000
LATE = timedelta(hours=6)  # so long a delivery may lie in the queue until it is recorded: then nobody is paged for it
KEY = re.compile(r"deliveries/(\d{4}/\d{2}/\d{2}/\d{2})/[\w.-]{1,500}")
CURSOR = re.compile(r"(\d{1,9})@(.+)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries: those that came from `since` on and before `until`, of one source or (empty) of all."""

    since: datetime
    until: datetime
    source: str = ""

    def __post_init__(self) -> None:
        if self.since >= self.until:
            raise Invalid(f"it is not before until, {rfc3339(self.until)}", where="since")

    def __str__(self) -> str:
        return f"{self.source or 'all sources'}, {rfc3339(self.since)} to {rfc3339(self.until)}"

    def has(self, entry: Mapping[str, Any]) -> bool:
        """Whether a line of a recording is one of them."""
        return self.since <= instant(entry["at"]) < self.until and self.source in ("", entry["source"])


def export(world: World, person: Person, wanted: Wanted, cursor: str) -> tuple[list[str], str]:
    """The lines of a recording from the cursor on, and where the next page begins (empty: nowhere).

    That the person has them is on the trail before they are given out. Raises Invalid, Unavailable.
    """
    lines, after = _page(world, wanted, cursor)
    part = f" from {cursor} on" if cursor else ""
    controls.note(world, person.id, f"{len(lines)} recorded deliveries exported", f"{wanted}{part}")
    return lines, after


def _page(world: World, wanted: Wanted, cursor: str) -> tuple[list[str], str]:
    lines: list[str] = []
    skip, first = _place(cursor)
    size = 0
    for read, key in enumerate(_keys(world, wanted, first)):
        if read == PAGE_OBJECTS:
            return lines, f"0@{key}"
        for number, line in enumerate(members(world.recordings.get(key)).decode().splitlines()):
            if number < skip or not wanted.has(json.loads(line)):
                continue
            if lines and size + len(line) > PAGE_BYTES:
                return lines, f"{number}@{key}"
            lines.append(line)
            size += len(line)
        skip = 0
    return lines, ""


def _place(cursor: str) -> tuple[int, str]:
    """The line of which object a page begins with."""
    if not cursor:
        return 0, ""
    found = CURSOR.fullmatch(cursor)
    if not found or not KEY.fullmatch(found[2]):
        raise Invalid(f"{cursor[:100]!r} is none that was given out", where="cursor")
    return int(found[1]), found[2]


def _keys(world: World, wanted: Wanted, first: str) -> Iterator[str]:
    """The objects that may hold them, from `first` on: they are named after the hour they were recorded in."""
    last = f"{wanted.until + LATE:%Y/%m/%d/%H}"
    after = first or f"deliveries/{wanted.since:%Y/%m/%d/%H}/"
    if first:
        yield first
    while keys := world.recordings.keys(after, limit=LISTED):
        for key in keys:
            hour = KEY.fullmatch(key)
            if hour and hour[1] > last:
                return
            if hour:
                yield key
        after = keys[-1]


def members(data: bytes) -> bytes:
    """What gzip members, one after another, hold."""
    found = b""
    while data:
        member = zlib.decompressobj(GZIP)
        found += member.decompress(data)
        data = member.unused_data
    return found

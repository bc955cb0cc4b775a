"""Is a timeline that was changed, cut, reordered or added to in any place found out?"""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from incident_bot.domain.timeline import GENESIS, Line, flaws, sealed
from tests.deciding import later

Entry = dict[str, Any]
LINES = st.lists(st.builds(Line, kind=st.just("note"), text=st.text(max_size=5)), min_size=1, max_size=6)
FIELDS = ("incident", "at", "actor", "kind", "text", "reason", "hash")


def chained(lines: list[Line], incident: str = "inc1") -> list[Entry]:
    entries: list[Entry] = []
    for seq, line in enumerate(lines, 1):
        entries.append(sealed(incident, seq, later(seq), line, entries[-1]["hash"] if entries else GENESIS))
    return entries


def head(entries: list[Entry]) -> str:
    return entries[-1]["hash"] if entries else ""


ABC = chained([Line("note", text) for text in "abc"])


def test_a_whole_timeline_has_no_flaw() -> None:
    assert flaws(ABC, 3, head(ABC)) == []
    assert flaws([], 0, "") == []


TAMPERED = [
    ("an entry was dropped", [ABC[0], ABC[2]], "entry 2 is missing: entry 3 stands in its place"),
    ("the first was dropped", ABC[1:], "entry 1 is missing: entry 2 stands in its place"),
    ("the last was dropped", ABC[:2], "the incident counts 3 entries, the timeline ends at 2"),
    ("all are gone", [], "the incident counts 3 entries, the timeline ends at 0"),
    ("two changed places", [ABC[1], ABC[0], ABC[2]], "entry 1 is missing: entry 2 stands in its place"),
    ("one is there twice", [ABC[0], *ABC], "entry 2 is missing: entry 1 stands in its place"),
    ("an actor was changed", [ABC[0], {**ABC[1], "actor": "eve"}, ABC[2]], "entry 2 does not follow"),
    ("a field is gone", [ABC[0], {k: v for k, v in ABC[1].items() if k != "reason"}, ABC[2]], "entry 2 does not"),
    ("a hash is gone", [{**ABC[0], "hash": None}, *ABC[1:]], "entry 1 does not follow"),
    ("a number is gone", [{**ABC[0], "seq": None}, *ABC[1:]], "entry 1 is missing: entry 0 stands in its place"),
    ("it is another incident's", chained([Line("note", t) for t in "abc"], "inc2"), "the last entry is not the one"),
    ("the whole chain was forged", chained([Line("note", t) for t in "abd"]), "the last entry is not the one"),
    ("one was added at the end", chained([Line("note", t) for t in "abcd"]), "the incident counts 3 entries"),
]


@pytest.mark.parametrize(("entries", "flaw"), [row[1:] for row in TAMPERED], ids=[row[0] for row in TAMPERED])
def test_tampering_is_found_and_named(entries: list[Entry], flaw: str) -> None:
    assert any(found.startswith(flaw) for found in flaws(entries, 3, head(ABC))), flaws(entries, 3, head(ABC))


@given(lines=LINES, data=st.data())
def test_any_change_of_any_field_is_found(lines: list[Line], data: st.DataObject) -> None:
    entries = chained(lines)
    place, name = data.draw(st.integers(0, len(entries) - 1)), data.draw(st.sampled_from(FIELDS))
    value = data.draw(st.text(max_size=5))
    assume(value != entries[place][name])
    tampered = [*entries[:place], {**entries[place], name: value}, *entries[place + 1 :]]
    assert flaws(tampered, len(entries), head(entries))


@given(lines=LINES, data=st.data())
def test_any_other_order_or_selection_is_found(lines: list[Line], data: st.DataObject) -> None:
    entries = chained(lines)
    picked = data.draw(st.lists(st.sampled_from(entries), max_size=len(entries) + 1))
    assume(picked != entries)
    assert flaws(picked, len(entries), head(entries))


def test_foreign_text_hides_nothing_in_it() -> None:
    told = Line("signal", "generic says \u202eevil\x1b[2J\u200b is firing", "line one\r\nline two")
    entry = sealed("inc1", 1, later(1), told, GENESIS)
    assert (entry["text"], entry["reason"]) == ("generic says evil[2J is firing", "line one\nline two")

"""Can anything at all make a parser raise something other than Unparseable?"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot import plugins
from incident_bot.domain.clock import instant
from incident_bot.domain.errors import Unparseable
from incident_bot.ingest.signals import read_raw, sort_out
from incident_bot.payload import decode
from incident_bot.sources import Parsed, Source
from tests.sources.every import SOURCES

NOW = instant("2026-01-15T10:05:00Z")
EVERY = list(SOURCES.values())

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.sampled_from(
        ["4", "firing", "resolved", "ALARM", "FAILED", "2026-01-15T10:00:00Z", "0001-01-01T00:00:00Z", "arn:aws:::::"]
    ),
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def mutants(draw: st.DrawFn, source: Source) -> Any:
    """One of the source's own examples with some values anywhere in it replaced, added or taken away."""
    document = json.loads(json.dumps(draw(st.sampled_from(source.examples)).body))
    for _ in range(draw(st.integers(1, 3))):
        place: Any = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], (dict, list)) or draw(st.integers(0, 3)) == 0:
                _mutate(draw, place, key)
                break
            place = place[key]
    return document


def _mutate(draw: st.DrawFn, place: Any, key: Any) -> None:
    kind = draw(st.sampled_from(["replace", "remove", "add"]))
    if kind == "remove":
        del place[key]
    elif kind == "replace" or isinstance(place, list):
        place[key] = draw(documents)
    else:
        place[draw(st.text(max_size=8))] = draw(documents)


@pytest.mark.parametrize("source", EVERY, ids=lambda source: source.name)
@given(data=st.data())
def test_a_parser_answers_or_refuses(source: Source, data: st.DataObject) -> None:
    document = data.draw(st.one_of(mutants(source), st.dictionaries(st.text(max_size=8), documents, max_size=4)))

    assert not isinstance(document, Mapping) or source.recognise is None or source.recognise(document) in (True, False)
    try:
        parsed = source.parse(document, NOW)
    except Unparseable:
        return
    assert isinstance(parsed, Parsed)
    sorted_out = sort_out(parsed)
    assert sorted_out.accepted + sorted_out.duplicates <= len(parsed.alerts)


@given(st.one_of(st.text(), st.builds(json.dumps, documents)))
def test_a_raw_message_is_read_or_refused(body: str) -> None:
    with suppress(Unparseable):
        assert read_raw(body, NOW).source in plugins.sources()


@given(st.binary(max_size=200))
def test_bytes_are_decoded_or_refused(body: bytes) -> None:
    with suppress(Unparseable):
        json.dumps(decode(body), allow_nan=False)

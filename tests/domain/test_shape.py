"""Does every dataclass of the domain come back from its JSON as it was, from older and from newer writers too?"""

import importlib
import json
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_bot import domain
from incident_bot.domain.admit import Admission
from incident_bot.domain.advance import Advance
from incident_bot.domain.deliberation import Look
from incident_bot.domain.incident import Incident
from incident_bot.domain.lint import Around, Owners
from incident_bot.domain.policy import Situation
from incident_bot.domain.postmortem import Material
from incident_bot.domain.shape import dump, load
from incident_bot.domain.team import Mode, Playbook, Team
from incident_bot.virtual.clock import T0
from tests.building import a_team, an_incident

IN_MEMORY = (
    Admission,
    Advance,
    Around,
    Look,
    Material,
    Owners,
    Situation,
)  # what decisions are made of


def _dataclasses() -> Iterator[type]:
    for found in pkgutil.iter_modules(domain.__path__):
        module = importlib.import_module(f"{domain.__name__}.{found.name}")
        for value in vars(module).values():
            if isinstance(value, type) and is_dataclass(value) and value.__module__ == module.__name__:
                yield value


SHAPES = sorted(set(_dataclasses()) - set(IN_MEMORY), key=lambda shape: (shape.__qualname__, shape.__module__))
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=4),
    int: st.integers(-9, 9),
    float: st.floats(-1e6, 1e6),
    bool: st.booleans(),
    type(None): st.none(),
    Any: st.none() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    datetime: st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.just(UTC)),  # noqa: DTZ001 - UTC
    date: st.dates(),
    time: st.times(),
}


@cache
def values(hint: Any) -> st.SearchStrategy[Any]:
    """Small values of that type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in SCALARS:
        return SCALARS[hint]
    if origin in (Union, UnionType):
        return st.one_of([values(argument) for argument in arguments])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=2).map(tuple)
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(st.text(max_size=3), values(arguments[1]), max_size=2)
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        return st.builds(hint, **{f.name: values(hints[f.name]) for f in fields(hint)})
    return st.sampled_from(hint)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.__module__.rsplit('.', 1)[-1]}.{shape.__name__}")
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_every_dataclass_of_the_domain_comes_back_from_json(shape: type, data: st.DataObject) -> None:
    value = data.draw(values(shape))
    written = json.loads(json.dumps(dump(value)))
    assert load(shape, written) == value


def test_a_whole_team_comes_back() -> None:
    team = a_team()
    assert load(Team, json.loads(json.dumps(dump(team)))) == team


def test_what_a_newer_version_added_is_ignored_and_what_an_older_one_lacked_is_its_default() -> None:
    written = dump(an_incident(pages=3))
    newer = {**written, "mood": "calm"}
    older = {name: value for name, value in written.items() if name not in ("pages", "clocks", "cleared", "step")}
    assert load(Incident, newer) == an_incident(pages=3)
    assert load(Incident, older) == an_incident(pages=0)


def test_a_field_without_default_is_needed() -> None:
    with pytest.raises(KeyError, match="title"):
        load(Incident, {name: value for name, value in dump(an_incident()).items() if name != "title"})


def test_numbers_as_dynamodb_gives_them_become_python_ones() -> None:
    read = load(Incident, {**dump(an_incident()), "version": Decimal(7), "confidence": Decimal("0.5")})
    assert (read.version, type(read.version), read.confidence, type(read.confidence)) == (7, int, 0.5, float)


def test_values_of_json_s_own_types_pass_as_they_are() -> None:
    playbook = Playbook("p", "o", date(2027, 1, 1), {}, "a", "t", Mode.FULL, parameters={"n": 6, "name": "live"})
    assert load(Playbook, dump(playbook)).parameters == {"n": 6, "name": "live"}


@dataclass(frozen=True)
class Odd:
    """What no dataclass of the domain has yet."""

    flag: bool
    raw: Any
    at: time
    many: tuple[date, ...] = ()
    some: frozenset[str] = field(default_factory=frozenset)


def test_sets_dates_and_times_are_written_as_lists_and_texts() -> None:
    odd = Odd(flag=True, raw={"x": [1, None]}, at=time(9, 30), many=(date(2026, 1, 15),), some=frozenset({"a"}))
    assert dump(odd) == {"flag": True, "raw": {"x": [1, None]}, "at": "09:30:00", "many": ["2026-01-15"], "some": ["a"]}
    assert load(Odd, dump(odd)).many == odd.many
    assert load(Odd, {**dump(odd), "many": None}).many == ()


def test_moments_are_written_in_utc() -> None:
    assert dump(T0) == "2026-01-15T10:00:00.000000Z"
    assert {f.name for f in fields(Incident)} == set(dump(an_incident()))

"""Which kinds of alert does a scope come to know as causes, and which as effects?"""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.learn import KINDS_KEPT, causal, consequent, kind_of, original, taught

ROWS = [
    ("nothing is known", {}, {"g:Down": 1}, (), ""),
    ("often a cause, never an effect", {"g:*": (6, 2), "g:Down": (0, 2)}, {"g:Down": 1}, (), "Down"),
    ("too little is known", {"g:*": (5, 2), "g:Down": (0, 2)}, {"g:Down": 1}, (), ""),
    ("never seen as a cause before", {"g:*": (9, 1), "g:Down": (0, 0)}, {"g:Down": 1}, (), ""),
    ("rare among effects, usual among causes", {"g:*": (90, 2), "g:Down": (2, 2)}, {"g:Down": 1}, (), "Down"),
    ("not so much rarer among effects", {"g:*": (9, 2), "g:Down": (2, 2)}, {"g:Down": 1}, (), ""),
    ("an effect like others", {"g:*": (9, 9), "g:Slow": (5, 9)}, {"g:Slow": 1}, (), ""),
    ("another source's words", {"h:*": (9, 9), "g:Down": (0, 9)}, {"g:Down": 1}, (), ""),
    ("a few series of many", {"g:*": (6, 2), "g:Down": (0, 2)}, {"g:Down": 1, "g:Slow": 2}, (), ""),
    ("a single series beside another", {"g:*": (6, 2), "g:Down": (0, 2)}, {"g:Down": 1, "g:Slow": 1}, (), ""),
    ("the team says so", {}, {"g:DiskFull": 1}, ("Disk*",), "DiskFull"),
]


@pytest.mark.parametrize(("known", "kinds", "patterns", "cause"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_what_names_a_cause(
    known: Mapping[str, tuple[int, int]], kinds: Mapping[str, int], patterns: tuple[str, ...], cause: str
) -> None:
    assert causal(known, kinds, patterns, counted=False, among=kinds) == cause


def test_a_group_is_no_evidence_of_itself() -> None:
    known, down = {"g:*": (20, 1), "g:Down": (2, 1)}, {"g:Down": 1}
    assert causal(known, down, (), counted=False, among=down) == "Down"
    assert causal(known, down, (), counted=True, among=down) == ""


def test_a_kind_that_its_cause_shows_too_is_no_cause_of_its_own() -> None:
    known, both = {"g:*": (6, 2), "g:Down": (0, 2)}, {"g:Down": 2, "g:Slow": 2}
    assert causal(known, both, (), counted=False, among=("g:Slow",)) == ""
    assert causal(known, both, (), counted=False, among=("g:Down",)) == "Down"


@pytest.mark.parametrize(
    ("known", "never"),
    [({}, False), ({"g:*": (5, 9)}, False), ({"g:*": (6, 0)}, True), ({"g:*": (20, 0), "g:Down": (2, 0)}, True),
     ({"g:*": (20, 0), "g:Down": (3, 9)}, False), ({"h:*": (20, 0)}, False)],
    ids=["nothing is known", "too little is known", "never an effect", "hardly ever", "now and then", "another source"],
)  # fmt: skip
def test_what_is_practically_never_an_effect(known: Mapping[str, tuple[int, int]], never: bool) -> None:
    assert original(known, "g:Down") is never


def test_what_nearly_always_has_a_cause_is_known_as_an_effect() -> None:
    assert consequent({"g:Slow": (6, 3)}, "g:Slow")
    assert not consequent({"g:Slow": (6, 4)}, "g:Slow")
    assert not consequent({"g:Slow": (5, 0)}, "g:Slow")
    assert not consequent({}, "g:Slow")


def test_a_kind_is_the_title_without_its_service_in_the_words_of_its_source() -> None:
    assert kind_of("cloudwatch", "prod-pay-Slow", "pay") == kind_of("cloudwatch", "prod-web-Slow", "web")
    assert kind_of("generic", "Slow", "pay") != kind_of("cloudwatch", "Slow", "pay")


@given(st.lists(st.tuples(st.integers(0, 99).map(lambda n: f"g:{n}"), st.booleans()), max_size=300))
def test_what_is_known_stays_small_and_counts_all_together(groups: list[tuple[str, bool]]) -> None:
    known: dict[str, tuple[int, int]] = {}
    for kind, effect in groups:
        known = taught(known, {kind: 1}, effect=effect)
        assert len(known) <= KINDS_KEPT
    assert not groups or "g:*" in known


def test_what_is_told_by_few_of_a_groups_series_teaches_nothing_of_its_kind() -> None:
    known = taught({}, {"g:Slow": 4, "g:Down": 1}, effect=True)
    assert known == {"g:Slow": (1, 0), "g:*": (1, 0)}

"""Does an incident count once in the tallies of what it was about, by its last label, however often it is labelled?"""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.incident import FINGERPRINTS_KEPT
from incident_bot.domain.label import Label, Labelled, recounted, subjects
from incident_bot.virtual.clock import T0
from tests.building import an_incident

SUBJECTS = st.sets(st.sampled_from(["v1:a", "v1:b", "v1:c", "kind:x", "rule:y"])).map(lambda s: tuple(sorted(s)))


@given(st.lists(st.tuples(st.sampled_from(Label), SUBJECTS), min_size=1))
def test_whatever_was_said_before_only_the_last_label_counts(
    said: list[tuple[Label, tuple[str, ...]]],
) -> None:
    tallies: Counter[tuple[str, Label]] = Counter()
    before = None
    for label, counted in said:
        for subject, change in recounted(before, label, counted).items():
            tallies.update({(subject, of): by for of, by in change.items()})
        before = Labelled(label, "ada", T0, "", counted)
    label, counted = said[-1]
    assert {key: n for key, n in tallies.items() if n} == {(subject, label): 1 for subject in counted}


def test_the_same_label_again_changes_nothing() -> None:
    before = Labelled(Label.ACTIONABLE, "ada", T0, "", ("v1:a", "rule:y"))
    assert recounted(before, Label.ACTIONABLE, before.counted) == {}


def test_a_label_is_about_the_alerts_and_about_the_kind_and_rule_that_opened_it() -> None:
    incident = an_incident(fingerprints=("v1:a", "v1:b"), kind="generic: errors", rule="orders")
    assert subjects(incident) == ("v1:a", "v1:b", "kind:generic: errors", "rule:orders")
    assert subjects(an_incident(fingerprints=("v1:a",))) == ("v1:a",)


def test_foreign_text_in_it_stays_short() -> None:
    assert all(len(subject) <= 200 for subject in subjects(an_incident(kind="x" * 5000)))


def test_an_incident_remembers_its_first_series_and_each_once() -> None:
    incident = an_incident(fingerprints=("v1:0", "v1:1"))
    remembered = incident.remembering(f"v1:{n}" for n in range(50))
    assert remembered == tuple(f"v1:{n}" for n in range(FINGERPRINTS_KEPT))

"""Do two alerts have one fingerprint exactly where they speak of one series?"""

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.fingerprint import fingerprint
from incident_bot.virtual.clock import T0
from tests.building import an_alert
from tests.deciding import later

IDENTITIES = st.dictionaries(st.text(max_size=6), st.none() | st.text(max_size=6), max_size=4)

DIFFERENT: list[tuple[str, Mapping[str, str | None], Mapping[str, str | None]]] = [
    ("fields are delimited", {"a": "ab", "b": "c"}, {"a": "a", "b": "bc"}),
    ("key and value are delimited", {"ab": "c"}, {"a": "bc"}),
    ("a missing field is no empty one", {"a": "x"}, {"a": "x", "b": ""}),
    ("a field without a value is no empty one", {"a": None}, {"a": ""}),
    ("a field without a value is no missing one", {"a": None}, {}),
    ("no value can forge a delimiter", {"a": '1","b":"2'}, {"a": "1", "b": "2"}),
    ("values do not change places", {"a": "1", "b": "2"}, {"a": "2", "b": "1"}),
    ("case counts", {"a": "Checkout"}, {"a": "checkout"}),
    ("one dimension more is another series", {"alarm": "cpu", "host": "1"}, {"alarm": "cpu", "host": "1", "disk": "a"}),
]


@pytest.mark.parametrize(("one", "other"), [row[1:] for row in DIFFERENT], ids=[row[0] for row in DIFFERENT])
def test_different_series_differ(one: Mapping[str, str | None], other: Mapping[str, str | None]) -> None:
    assert fingerprint("generic", one) != fingerprint("generic", other)


def test_the_source_is_part_of_it_and_delimited() -> None:
    assert fingerprint("a", {"b": "c"}) != fingerprint("ab", {"": "c"})
    assert fingerprint("cloudwatch", {"a": "b"}) != fingerprint("generic", {"a": "b"})


def test_the_formula_is_versioned_and_stays_what_it_is() -> None:
    """Another value here merges or splits every series that is remembered: raise the version instead."""
    assert fingerprint("generic", {"alert": "x", "service": "y"}) == "v1:df617e89f0bdaec917c1dc81649cdccd"


@given(identity=IDENTITIES)
def test_the_order_of_keys_does_not_matter(identity: dict[str, str | None]) -> None:
    backwards = dict(reversed(list(identity.items())))
    assert fingerprint("generic", identity) == fingerprint("generic", backwards)
    assert re.fullmatch(r"v1:[0-9a-f]{32}", fingerprint("generic", identity))


@given(one=IDENTITIES, other=IDENTITIES)
def test_only_equal_identities_have_equal_fingerprints(one: dict, other: dict) -> None:
    assert (fingerprint("s", one) == fingerprint("s", other)) == (one == other)


def test_what_an_alert_says_of_its_state_is_no_part_of_what_it_is() -> None:
    alert = an_alert()
    for changes in (
        {"severity": Severity.SEV1},
        {"status": Status.RESOLVED},
        {"occurred_at": later(60), "started_at": later(60)},
        {"summary": "7 % of requests fail", "labels": {"value": "7"}, "links": {"graph": "https://x.test"}},
        {"title": "renamed", "resource": "elsewhere"},
    ):
        assert an_alert(**changes).fingerprint == alert.fingerprint, changes
    assert alert.occurred_at == T0

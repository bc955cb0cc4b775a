"""Does every key fit what DynamoDB takes, whatever the names are that others give?"""

import pytest

from incident_bot.state import corrections, keys
from incident_bot.virtual.clock import T0

SORT_KEY_BYTES = 1024  # Amazon DynamoDB developer guide, "Constraints": of a sort key


@pytest.mark.parametrize("name", ["é" * 600, "\N{SNOWMAN}" * 600, "x" * 3000, "\ud83d" * 3000])
@pytest.mark.parametrize("of", ["kind", "rule"])
def test_a_name_that_is_too_long_is_cut_by_bytes_and_stays_text(of: str, name: str) -> None:
    pk, sk = keys.stat(f"{of}:{name}")
    assert pk == f"STAT#{of}"
    assert 900 < len(sk.encode()) <= SORT_KEY_BYTES


def test_a_pair_of_services_with_long_names_is_counted() -> None:
    (write,) = corrections.counting([("é" * 400, "ü" * 400)], corrections.JOINED, T0)
    assert len(write.key[1].encode()) <= SORT_KEY_BYTES


def test_short_names_are_as_they_are() -> None:
    assert keys.stat("pair:checkout|orders") == ("STAT#pair", "checkout|orders")

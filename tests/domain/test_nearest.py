"""The name that is offered is the one a person most likely meant, and none where nothing comes near."""

import pytest

from incident_bot.domain.nearest import nearest

NAMES = ("checkout", "search", "orders")


@pytest.mark.parametrize(
    ("name", "offered", "reason"),
    [
        ("chekout", "checkout", "a letter is missing"),
        ("order", "orders", "a letter is missing at the end"),
        ("saerch", "search", "two letters are swapped"),
        ("billing", "", "nothing looks like it"),
        ("", "", "there is nothing to go by"),
    ],
)
def test_the_nearest_name(name: str, offered: str, reason: str) -> None:
    assert nearest(name, NAMES) == offered, reason


def test_among_no_names_none_is_near() -> None:
    assert nearest("checkout", ()) == ""

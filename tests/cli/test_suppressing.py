"""How silences are made, seen and ended at the terminal."""

from datetime import timedelta
from pathlib import Path

import pytest

from incident_bot.domain.clock import rfc3339
from incident_bot.virtual.clock import T0
from tests.building import a_world
from tests.cli.running import Desk

ADD = (
    "silence",
    "add",
    "--match",
    "service=checkout",
    "--match",
    "labels.az=a",
    "--for",
    "2h",
    "--reason",
    "az a moves",
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(a_world(), tmp_path)


def test_a_silence_is_made_listed_shown_and_ended(desk: Desk) -> None:
    made = desk.run(*ADD, "--json").json
    assert made["match"] == {"service": "checkout", "labels.az": "a"}
    assert made["ends"] == "2026-01-15T12:00:00Z"
    (listed,) = desk.run("silence", "list", "--json").json
    assert listed == made
    assert made["id"] in desk.run("silence", "list").out
    assert "missed not known yet" in desk.run("silence", "show", made["id"]).out
    ended = desk.run("silence", "expire", made["id"])
    assert ended.out.strip() == f"{made['id']} is over; 0 of its series still fire and are told now"
    assert desk.run("silence", "list").out.strip() == "no silences"
    assert [window["id"] for window in desk.run("ledger", "--json").json] == [made["id"]]
    assert desk.run("ledger", made["id"], "--json").json["lines"] == []


def test_it_may_begin_later(desk: Desk) -> None:
    made = desk.run(*ADD, "--from", rfc3339(T0 + timedelta(days=1)), "--json").json
    assert (made["state"], made["ends"]) == ("waiting", "2026-01-16T12:00:00Z")


@pytest.mark.parametrize("lasts", ["2", "0h", "2 hours", "-1h", "h", "1w"])
def test_what_is_no_span_is_wrong_usage(lasts: str, desk: Desk) -> None:
    ran = desk.run("silence", "add", "--match", "service=checkout", "--for", lasts, "--reason", "x")
    assert ran.code == 2
    assert "--for" in ran.err


@pytest.mark.parametrize("match", ["checkout", "=checkout", "service="])
def test_what_is_no_pattern_is_wrong_usage(match: str, desk: Desk) -> None:
    assert desk.run("silence", "add", "--match", match, "--for", "1h", "--reason", "x").code == 2


def test_what_the_api_refuses_exits_1_with_the_reason(desk: Desk) -> None:
    ran = desk.run("silence", "add", "--match", "service=*", "--for", "1h", "--reason", "x")
    assert (ran.code, ran.out) == (1, "")
    assert "everything" in ran.err

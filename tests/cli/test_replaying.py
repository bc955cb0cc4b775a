"""`replay` writes where each delivery belongs and whom it would have paged, from recordings alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.building import a_world
from tests.cli.running import Desk

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(a_world(), tmp_path)


def alert(**changes: Any) -> str:
    """A body of the generic source about the search service."""
    body = {"title": "search fails", "status": "firing", "severity": "sev2", "service": "search", **changes}
    return json.dumps({"alerts": [body]})


def recording(desk: Desk, *deliveries: tuple[Any, str, str, str], name: str = "storm.jsonl") -> Path:
    """A file of (at, delivery id, source, body)."""
    names = ("at", "delivery_id", "source", "body")
    file = desk.folder / name
    file.write_text("".join(json.dumps(dict(zip(names, d, strict=True))) + "\n" for d in deliveries))
    return file


def written(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_duplicates_belong_to_one_incident_that_pages_once(desk: Desk) -> None:
    file = recording(desk, *((float(n), f"d{n}", "generic", alert()) for n in range(3)))
    assign, pages = desk.folder / "assign.jsonl", desk.folder / "pages.jsonl"
    ran = desk.run("replay", file, "--config", CONFIG, "--assign", assign, "--pages", pages)
    assert ran.code == 0, ran.err
    assert [line["delivery_id"] for line in written(assign)] == ["d0", "d1", "d2"]
    assert len({line["incident"] for line in written(assign)}) == 1
    [page] = written(pages)
    assert list(page) == ["t", "delivery_ids", "to", "incident"]
    assert (page["delivery_ids"][0], page["incident"]) == ("d0", written(assign)[0]["incident"])


def test_what_cannot_be_read_is_assigned_to_nothing_with_its_reason(desk: Desk) -> None:
    assign = desk.folder / "assign.jsonl"
    desk.run("replay", recording(desk, (0, "bad", "generic", "{ not")), "--config", CONFIG, "--assign", assign)
    [line] = written(assign)
    assert (line["delivery_id"], line["incident"]) == ("bad", None)
    assert "not JSON" in line["reason"]


def test_numbers_count_from_t0_and_strings_are_times(desk: Desk) -> None:
    first = recording(desk, ("2026-02-01T00:00:30Z", "later", "generic", alert(title="later")), name="a.jsonl")
    second = recording(desk, (10, "sooner", "generic", alert(service="checkout", title="sooner")), name="b.jsonl")
    pages = desk.folder / "pages.jsonl"
    ran = desk.run("replay", first, second, "--config", CONFIG, "--t0", "2026-02-01T00:00:00Z", "--pages", pages)
    assert ran.code == 0, ran.err
    assert 10 <= written(pages)[0]["t"] < 30


def test_the_result_is_one_document(desk: Desk) -> None:
    found = desk.run("replay", recording(desk, (0, "d0", "generic", alert())), "--config", CONFIG, "--json").json
    assert (found["deliveries"], found["incidents"], found["quarantined"]) == (1, 1, 0)


def test_a_line_that_is_no_delivery_is_named(desk: Desk) -> None:
    file = desk.folder / "storm.jsonl"
    file.write_text('\n{"at": 0, "source": "generic", "body": "{}"}\n')
    ran = desk.run("replay", file, "--config", CONFIG)
    assert ran.code == 1
    assert f"{file}: line 2: has no 'delivery_id'" in ran.err


def test_a_time_that_is_none_is_wrong_usage(desk: Desk) -> None:
    assert desk.run("replay", recording(desk), "--t0", "yesterday", "--config", CONFIG).code == 2

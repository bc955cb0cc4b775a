"""`replay --against` says what a change of the configuration would have paged more, less, or to somebody else."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.building import a_world
from tests.cli.running import Desk

PEOPLE = """
people:
  ada: {name: Ada}
  grace: {name: Grace}
groups:
  shop:
    pager: {pagerduty: channels/pagerduty/shop}
    steps: [{notify: ["person:ada"], channels: [pagerduty]}]
  platform:
    pager: {pagerduty: channels/pagerduty/platform}
    steps: [{notify: ["person:grace"], channels: [pagerduty]}]
default_group: platform
"""
SERVICES = """
services:
  web: {owner: shop, tier: 1}
  db: {owner: shop, tier: 1}
  jobs: {owner: platform, tier: 1}
"""
RULE = "  - {{name: {name}, owner: shop, review_by: 2027-05-01, when: {{service: {service}}}, {then}}}\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(a_world(), tmp_path)


def a_config(desk: Desk, name: str, rules: Mapping[str, str] | None = None, services: str = SERVICES) -> Path:
    """A directory of two people and three services; `rules` says per service what its rule decides."""
    directory = desk.folder / name
    directory.mkdir()
    (directory / "people.yaml").write_text(PEOPLE)
    (directory / "services.yaml").write_text(services)
    (directory / "channels.yaml").write_text("channels: {pagerduty: {}}\n")
    (directory / "guardrails.yaml").write_text("limits: {}\n")
    (directory / "playbooks.yaml").write_text("playbooks: []\n")
    said = "".join(RULE.format(name=f"{of}-rule", service=of, then=then) for of, then in (rules or {}).items())
    (directory / "rules.yaml").write_text(f"rules:\n{said}" if said else "rules: []\n")
    return directory


def a_recording(desk: Desk) -> Path:
    """web, db and jobs fail, ten minutes after each other; web is repeated once."""
    file = desk.folder / "recording.jsonl"
    entries = [(0, "web-1", "web"), (30, "web-2", "web"), (600, "db-1", "db"), (1200, "jobs-1", "jobs")]
    file.write_text("".join(json.dumps(_delivery(*entry)) + "\n" for entry in entries))
    return file


def _delivery(at: float, identifier: str, service: str) -> dict[str, Any]:
    alert = {"title": f"{service} fails", "status": "firing", "severity": "sev2", "service": service}
    return {"at": at, "delivery_id": identifier, "source": "generic", "body": json.dumps({"alerts": [alert]})}


def against(desk: Desk, after: Path) -> Any:
    ran = desk.run(*("replay", a_recording(desk), "--config", a_config(desk, "before"), "--against", after, "--json"))
    assert ran.code == 0, ran.err
    return ran.json


def brief(entries: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """(delivery ids..., to) of pages."""
    return [(*entry["delivery_ids"], entry["to"]) for entry in entries]


def test_what_a_rule_makes_noise_is_paged_less_and_suppressed(desk: Desk) -> None:
    found = against(desk, a_config(desk, "after", {"web": "noise: true"}))
    assert brief(found["less"]) == [("web-1", "Ada")]
    assert (
        found["less"][0]["otherwise"]
        == "severity-by-source, noise: sev2 as its source says; a rule records it as noise"
    )
    assert [c["delivery_ids"] for c in found["suppressed"]] == [["web-1", "web-2"]]
    assert found["teams"] == {"platform": {"before": 1, "after": 1}, "shop": {"before": 2, "after": 1}}
    assert (found["before"]["pages"], found["after"]["pages"], found["after"]["noise"]) == (3, 2, 1)
    assert {name: count for name, count in found["counts"].items() if count} == {"less": 1, "suppressed": 1}


def test_what_a_rule_makes_a_ticket_is_paged_less_with_another_severity(desk: Desk) -> None:
    found = against(desk, a_config(desk, "after", {"db": "severity: sev3"}))
    assert brief(found["less"]) == [("db-1", "Ada")]
    [change] = found["severity"]
    assert (change["delivery_ids"], change["before"]["severity"], change["after"]["severity"]) == (
        *(["db-1"], "sev2", "sev3"),
    )
    assert (found["suppressed"], found["more"], found["other"]) == ([], [], [])


def test_another_owner_is_the_same_page_to_somebody_else(desk: Desk) -> None:
    owned = SERVICES.replace("db: {owner: shop", "db: {owner: platform")
    found = against(desk, a_config(desk, "after", services=owned))
    [pair] = found["other"]
    assert (pair["before"]["to"], pair["after"]["to"], pair["before"]["delivery_ids"]) == ("Ada", "Grace", ["db-1"])
    assert (found["more"], found["less"], found["shifted"]) == ([], [], [])
    assert found["teams"] == {"platform": {"before": 1, "after": 2}, "shop": {"before": 2, "after": 1}}


def test_what_comes_to_belong_together_is_paged_once_less_and_says_where_it_is(desk: Desk) -> None:
    joined = SERVICES.replace("web: {owner: shop", "web: {depends_on: [db], owner: shop")
    file = desk.folder / "close.jsonl"
    entries = [(0, "db-1", "db"), (20, "web-1", "web")]
    file.write_text("".join(json.dumps(_delivery(*entry)) + "\n" for entry in entries))
    before, after = a_config(desk, "before"), a_config(desk, "after", services=joined)
    found = desk.run("replay", file, "--config", before, "--against", after, "--json").json
    assert brief(found["less"]) == [("web-1", "Ada")]
    assert found["less"][0]["otherwise"] == "a part of 'db fails', paged at 0.0 s"
    back = desk.run("replay", file, "--config", after, "--against", before, "--json").json
    assert (brief(back["more"]), back["less"]) == ([("web-1", "Ada")], [])


def test_a_hold_is_the_same_page_later(desk: Desk) -> None:
    found = against(desk, a_config(desk, "after", {"jobs": "hold_seconds: 45"}))
    [pair] = found["shifted"]
    assert (pair["before"]["delivery_ids"], pair["later_seconds"]) == (["jobs-1"], 45.0)
    assert not any(found["counts"][name] for name in ("more", "less", "other", "severity", "suppressed"))


def test_people_read_a_sentence_for_each_difference(desk: Desk) -> None:
    after = a_config(desk, "after", {"web": "noise: true"})
    ran = desk.run("replay", a_recording(desk), "--config", a_config(desk, "before"), "--against", after)
    assert ran.code == 0
    assert ran.out.splitlines()[:4] == [
        "4 deliveries: 3 incidents, 3 pages; with the change 3 incidents, 2 pages",
        "  team platform: 1 -> 1 pages",
        "  team shop: 2 -> 1 pages",
        "1 would not be paged any more:",
    ]


def test_the_same_configuration_makes_no_difference(desk: Desk) -> None:
    ran = desk.run("replay", a_recording(desk), "--config", a_config(desk, "a"), "--against", a_config(desk, "b"))
    assert ran.code == 0
    assert "no difference" in ran.out


def test_a_flaw_in_the_other_configuration_is_told_with_its_place(desk: Desk) -> None:
    broken = a_config(desk, "after", services=SERVICES.replace("owner: shop", "owner: shopp", 1))
    ran = desk.run("replay", a_recording(desk), "--config", a_config(desk, "before"), "--against", broken)
    assert ran.code == 1
    assert f"{broken / 'services.yaml'}:3 services.web.owner" in ran.err

"""What people say of incidents, and what they put right: labels, merges, splits, and a storm, on the deployed stack."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tests.scenarios.driving import Stack, eventually, unique
from tests.scenarios.shop import STORMY

ALREADY = 40  # pages of a team within a minute from which on it is in a storm (config/rules.yaml)


def said(stack: Stack, incident: str) -> list[tuple[str, str]]:
    """Who wrote what on the timeline."""
    return [(entry["actor"], entry["text"]) for entry in stack.show(incident)["timeline"]]


def test_an_incident_is_labelled_and_says_how_far_it_was_believed(stack: Stack) -> None:
    service = unique("labelled")
    stack.alert(service)
    incident = stack.incident(service)
    assert (incident["confidence"], "history +75%" in incident["evidence"]) == (0.75, True)
    assert stack.command("label", incident["id"], "false-positive", "--reason", "a drill").returncode == 0
    assert stack.command("label", incident["id"], "actionable", "--reason", "it was none").returncode == 0
    eventually(lambda: ("alice", "labelled actionable") in said(stack, incident["id"]), "it is on the timeline")
    assert stack.show(incident["id"])["label"]["label"] == "actionable"
    kinds = {rate["name"]: rate for rate in stack.get("/v1/labels") if rate["of"] == "kind"}
    rate = kinds["generic: fails"]
    assert (rate["actionable"] >= 1, rate["false_positive"]) == (True, 0)


def test_incidents_are_merged_and_split_by_hand_and_both_say_so(stack: Stack) -> None:
    one, other = unique("one"), unique("other")
    for service in (one, other):
        stack.alert(service)
    first, second = stack.incident(one)["id"], stack.incident(other)["id"]
    for incident in (first, second):
        stack.paged(incident)
    assert stack.command("merge", second, first, "--reason", "the same fault").returncode == 0
    merged = eventually(lambda: stack.show(second)["merged_into"], "the second ends in the first")
    assert merged == first
    eventually(lambda: stack.events(second)[-1]["event_action"] == "resolve", "its page closed at the provider")
    moved = eventually(lambda: _series(stack, first, other), "its alert there")
    ran = stack.command("split", first, "--group", moved[0]["group"], "--reason", "no, it is not", "--json")
    assert ran.returncode == 0, ran.stderr
    (third,) = [row["id"] for row in stack.incidents(other) if row["id"] != second]
    assert stack.paged(third)
    eventually(lambda: not _series(stack, first, other), "it left the first")
    assert ("alice", f"split off from {first}") in said(stack, third)
    assert ("alice", f"alerts {moved[0]['group']} moved to {third}") in said(stack, first)
    pairs = {tuple(sorted(pair["services"])): (pair["joined"], pair["parted"]) for pair in stack.get("/v1/corrections")}
    assert pairs[min(one, other), max(one, other)] == (1, 1)
    for incident in (first, third):
        assert stack.command("audit", "verify", incident).returncode == 0


def _series(stack: Stack, incident: str, service: str) -> Sequence[dict[str, str]]:
    return [one for one in stack.show(incident)["series"] if one["service"] == service]


def test_in_a_storm_a_team_gets_one_page_for_all_that_follow(stack: Stack) -> None:
    """The team's count says that it had its pages of this minute already."""
    at = {"S": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
    key = {"PK": {"S": "BUDGET#storm:gale"}, "SK": {"S": "STORM"}}
    table, dynamodb = stack.laptop.outputs.table_name, stack.laptop.client("dynamodb")
    dynamodb.put_item(TableName=table, Item={**key, "recent": {"L": [at] * ALREADY}, "version": {"N": "1"}})
    for service in STORMY:
        stack.alert(service)
    found = [stack.incident(service)["id"] for service in STORMY]
    summary = stack.incident("storm")
    assert len(stack.paged(summary["id"])) == 1
    eventually(lambda: _all_part_of(stack, found, summary["id"]), "each says what became of its page")
    eventually(lambda: not stack.show(summary["id"])["title"].startswith("1 more"), "it counts")
    assert [stack.pages(incident) for incident in found] == [[], [], []]
    assert stack.post(f"/v1/incidents/{summary['id']}/acknowledge", {}).status in (200, 202)
    for service in STORMY:
        stack.alert(service, "resolved")


def _all_part_of(stack: Stack, found: Sequence[str], summary: str) -> bool:
    return all(_part_of(stack, incident, summary) for incident in found)


def _part_of(stack: Stack, incident: str, summary: str) -> bool:
    reasons = [entry["reason"] for entry in stack.show(incident)["timeline"]]
    return any(summary in reason and "would have paged" in reason for reason in reasons)

"""What works without a deployment: checking a configuration and explaining what it makes of an alert or a plan."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from incident_bot.cli.main import hoisted
from incident_bot.domain.plan import Call, Plan, Step
from incident_bot.domain.shape import dump
from tests.building import a_world
from tests.cli.running import Desk

CONFIG = Path(__file__).parents[2] / "config"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:checkout-api"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(a_world(), tmp_path)


def explained(desk: Desk, document: Any, *more: str) -> Any:
    file = desk.folder / "document.json"
    file.write_text(json.dumps(document))
    ran = desk.run("policy", "explain", file, "--config", CONFIG, "--json", *more)
    assert ran.code == 0, ran.err
    return ran.json


def test_the_example_configuration_is_valid(desk: Desk) -> None:
    assert desk.run("check", CONFIG).code == 0
    assert desk.run("check", CONFIG, "--json").json == []


def test_a_mistake_is_told_with_file_line_field_and_the_nearest_name(desk: Desk) -> None:
    broken = desk.folder / "config"
    shutil.copytree(CONFIG, broken)
    services = broken / "services.yaml"
    services.write_text(services.read_text().replace("owner: storefront", "owner: storfront", 1))
    ran = desk.run("check", broken)
    assert ran.code == 1
    assert ran.err.strip() == (
        f"{services}:5 services.checkout.owner: there is no group 'storfront'; did you mean storefront?"
    )
    [problem] = desk.run("check", broken, "--json").json
    assert (problem["line"], problem["field"], problem["nearest"]) == (5, "services.checkout.owner", "storefront")


def test_what_is_late_for_its_review_is_told_and_valid(desk: Desk) -> None:
    late = desk.folder / "config"
    shutil.copytree(CONFIG, late)
    rules = late / "rules.yaml"
    rules.write_text(rules.read_text().replace("review_by: 2027-05-01", "review_by: 2020-05-01", 1))
    ran = desk.run("check", late)
    assert (ran.code, ran.out.strip()) == (0, f"{late} is valid")
    assert ran.err.startswith(f"{rules}:6 rules[0].review_by: warning: was to be reviewed by 2020-05-01")
    assert [problem["warning"] for problem in desk.run("check", late, "--json").json] == [True]


def test_a_directory_that_does_not_exist_is_wrong_usage(desk: Desk) -> None:
    assert desk.run("check", "nowhere").code == 2


def alarm(name: str) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "AlarmArn": f"arn:aws:cloudwatch:eu-west-1:111122223333:alarm:{name}",
        "NewStateValue": "ALARM",
        "StateChangeTime": "2026-01-15T09:59:00.000+0000",
    }


def test_an_alert_is_explained_by_the_rule_that_decides(desk: Desk) -> None:
    [found] = explained(desk, alarm("checkout-api-duration-p95"))
    assert (found["service"], found["severity"], found["rule"], found["pages"]) == (
        *("checkout", "sev1", "checkout-latency", True),
    )
    assert [offer["playbook"] for offer in found["playbooks"]] == ["checkout-concurrency-clamp"]


def test_a_transient_alert_is_held_and_a_heartbeat_never_pages(desk: Desk) -> None:
    [disk] = explained(desk, alarm("DiskAlmostFull-db1"))
    assert (disk["hold_seconds"], disk["noise"]) == (45, False)
    watchdog = {
        "version": "4",
        "groupKey": "{}",
        "status": "firing",
        "receiver": "incident-bot",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "Watchdog"},
                "annotations": {},
                "startsAt": "2026-01-15T09:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "fingerprint": "0123456789abcdef",
            }
        ],
    }
    [beat] = explained(desk, watchdog, "--source", "alertmanager")
    assert (beat["noise"], beat["pages"], beat["rule"]) == (True, False, "heartbeat")


def test_a_plan_is_explained_by_the_guardrail_that_decides_wherever_it_is_deployed(desk: Desk) -> None:
    call = Call(FUNCTION, "lambda", "put_function_concurrency", {"ReservedConcurrentExecutions": 20}, {}, {})
    plan = Plan("limit_lambda_concurrency", (Step(FUNCTION, call, call),))
    incident = {
        "id": "inc1",
        "actions": [{"id": "inc1-a1", "playbook": "checkout-concurrency-clamp", "plan": dump(plan)}],
    }
    [found] = explained(desk, incident)
    assert (found["action"], found["verdict"], found["service"]) == ("inc1-a1", "ask", "checkout")
    assert found["reason"]
    assert found["digest"] == plan.digest


def test_what_is_neither_alert_nor_plan_is_refused(desk: Desk) -> None:
    file = desk.folder / "document.json"
    file.write_text("[]")
    ran = desk.run("policy", "explain", file, "--config", CONFIG)
    assert ran.code == 1
    assert "no source reads this" in ran.err


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["list", "--json"], ["--json", "list"]),
        (["ack", "inc1", "--as", "bob"], ["--as", "bob", "ack", "inc1"]),
        (["ack", "--as=bob", "inc1"], ["--as=bob", "ack", "inc1"]),
        (["ack", "--", "--json"], ["ack", "--", "--json"]),
        (["list", "--as"], ["--as", "list"]),
    ],
)
def test_common_options_are_moved_to_the_front(given: list[str], expected: list[str]) -> None:
    assert hoisted(given) == expected


def test_each_point_of_an_alert_s_confidence_is_explained_and_what_labels_would_change(desk: Desk) -> None:
    [found] = explained(desk, alarm("search-api-errors"))
    assert found["pages"]
    assert found["evidence"][0]["rule"] == "history"
    assert found["confidence"] == pytest.approx(sum(point["points"] for point in found["evidence"]), abs=0.001)
    [doubted] = explained(desk, alarm("search-api-errors"), "--false-positive", "12")
    assert not doubted["pages"]
    assert "would have been" in doubted["reason"]
    file = desk.folder / "alarm.json"
    file.write_text(json.dumps(alarm("search-api-errors")))
    assert (
        "confidence +75% history: nobody labelled it yet" in desk.run("policy", "explain", file, "--config", CONFIG).out
    )

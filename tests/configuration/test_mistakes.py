"""Every mistake a team can make in its configuration is told with its file, line, field and the nearest valid name."""

import re
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from incident_bot import configuration
from incident_bot.actions import Action
from incident_bot.configuration import Installed, Problem, diagnose, load
from incident_bot.domain.errors import Invalid

TEAM = Path(__file__).parent / "team"  # of its own: whoever changes config/ breaks no test of what is checked


def an_action(name: str, takes: str, *, temporary: bool = False, **parameters: type) -> Action:
    """An action of which only the declaration counts here."""

    def never(*_: object) -> NoReturn:
        raise AssertionError("checking the configuration calls no action")

    return Action(
        name,
        name,
        takes,
        never,
        never,
        never,
        never,
        never,
        parameters=parameters,
        temporary=temporary,
    )


INSTALLED = Installed(
    actions={
        action.name: action
        for action in (
            an_action("limit_lambda_concurrency", "AWS::Lambda::Function", temporary=True, limit=int),
            an_action("roll_back_lambda_alias", "AWS::Lambda::Alias"),
            an_action("roll_back_ecs_service", "AWS::ECS::Service"),
        )
    },
    channels=("pagerduty", "webhook", "sns"),
    labels={"cloudwatch": ("namespace", "metric"), "alertmanager": ("*",), "step_functions": ("machine",)},
)


def mistaken(folder: Path, file: str, old: str, new: str) -> list[Problem]:
    """The problems of the example team after one edit."""
    shutil.copytree(TEAM, folder, dirs_exist_ok=True)
    text = (folder / file).read_text()
    assert old in text, f"{file} has no {old!r} any more"
    (folder / file).write_text(text.replace(old, new, 1))
    return diagnose(folder, INSTALLED)


# file, what is replaced, by what, the field blamed, a part of the reason, the nearest name offered
MISTAKES = {
    "owner of a service": (
        "services.yaml", "owner: storefront", "owner: storfront",
        "services.checkout.owner", "no group 'storfront'", "storefront",
    ),
    "dependency": (
        "services.yaml", "[orders]", "[order]", "services.checkout.depends_on[0]", "no service 'order'", "orders",
    ),
    "cycle": (
        "services.yaml", "    runbook: https://runbooks.shop.example/orders",
        "    depends_on: [checkout]\n    runbook: x",
        "services.checkout.depends_on", "depends on itself: checkout -> orders -> checkout", "",
    ),
    "ARN": (
        "services.yaml", "arn: arn:${AWS::Partition}:lambda", "arn: lambda",
        "services.checkout.resources[0].arn", "is no ARN", "",
    ),
    "one resource, two services": (
        "services.yaml", "function:search-api\n", "function:checkout-api\n",
        "services.search.resources[0].arn", "belongs to checkout already", "",
    ),
    "a string for a boolean": (
        "services.yaml", "canary: true", 'canary: "false"',
        "services.orders.resources[0].canary", 'valid boolean, not "false"', "",
    ),
    "a string for a number": (
        "services.yaml", "tier: 1", 'tier: "1"', "services.checkout.tier", 'valid integer, not "1"', "",
    ),
    "unknown field": (
        "services.yaml", "    tier: 1", "    teir: 1", "services.checkout.teir", "no such field", "tier",
    ),
    "unknown field deep inside": (
        "services.yaml", "          healthy_below: 1000", "          healthy_bellow: 1000",
        "services.checkout.resources[0].signal.healthy_bellow", "no such field", "healthy_below",
    ),
    "a name twice": (
        "services.yaml", "  search:\n", "  checkout:\n", "services.checkout", "written twice, first in line 4", "",
    ),
    "rota without anybody": (
        "people.yaml", "people: [alice, bob]", "people: []",
        "rotas.storefront-primary.people", "nobody is ever on call", "",
    ),
    "stranger on a rota": (
        "people.yaml", "people: [alice, bob]", "people: [alice, bop]",
        "rotas.storefront-primary.people[1]", "no person 'bop'", "bob",
    ),
    "time zone": (
        "people.yaml", "Europe/Paris", "Europe/Pariss",
        "rotas.storefront-primary.timezone", "no time zone", "Europe/Paris",
    ),
    "rota in a step": (
        "people.yaml", '"rota:storefront-primary"', '"rota:storefront"',
        "groups.storefront.steps[0].notify[0]", "no rota 'storefront'", "storefront-primary",
    ),
    "channel in a step": (
        "people.yaml", "channels: [pagerduty, ", "channels: [pagerdutty, ",
        "groups.storefront.steps[0].channels[0]", "no channel 'pagerdutty'", "pagerduty",
    ),
    "one identity, two people": (
        "people.yaml", "user/bob", "user/alice", "people.bob.arns[0]", "is alice already", "",
    ),
    "nobody for unknown services": (
        "people.yaml", "default_group: platform", "default_group: platfrom",
        "default_group", "no group 'platfrom'", "platform",
    ),
    "hold over 180 s": (
        "rules.yaml", "hold_seconds: 45", "hold_seconds: 181", "rules[2].hold_seconds", "between 0 and 180", "",
    ),
    "rule without owner": (
        "rules.yaml", "    owner: platform\n    review_by: 2027-05-01\n", "    review_by: 2027-05-01\n",
        "rules[0].owner", "is missing", "",
    ),
    "rule without review": (
        "rules.yaml", "    review_by: 2027-05-01\n", "", "rules[0].review_by", "is missing", "",
    ),
    "severity": (
        "rules.yaml", "severity: sev2", "severity: 2", "rules[2].severity", "must be one of sev1", "sev2",
    ),
    "rule hidden by an earlier one": (
        "rules.yaml", "when: { labels.severity: info }", 'when: { service: "*" }',
        "rules[3].when", "the earlier rule 'informational' matches first", "",
    ),
    "label that no source declares": (
        "rules.yaml", "{ labels.severity: info }", "{ source: cloudwatch, labels.metrik: x }",
        "rules[1].when.labels.metrik", "no source like 'cloudwatch' declares a label 'metrik'", "metric",
    ),
    "field that no alert has": (
        "rules.yaml", "{ service: search }", "{ servcie: search }",
        "rules[5].when.servcie", "which no alert has", "service",
    ),
    "service in a rule": (
        "rules.yaml", "{ service: search }", "{ service: serch }",
        "rules[5].when.service", "no service 'serch'", "search",
    ),
    "rule name twice": (
        "rules.yaml", "name: informational", "name: heartbeat", "rules[1].name", "is the name of rules[0] already", "",
    ),
    "what is only recorded wakes people": (
        "rules.yaml", "timing:", "records: sev2\n\ntiming:", "records", "sev3 is the worst", "",
    ),
    "what is only recorded is no severity": (
        "rules.yaml", "timing:", "records: sev9\n\ntiming:", "records", "must be one of sev1", "sev5",
    ),
    "rule without effect": (
        "rules.yaml", "    severity: sev2\n    category: errors\n", "", "rules[5]", "sets nothing", "",
    ),
    "service in a playbook": (
        "playbooks.yaml", "service: search", "service: serch",
        "playbooks[2].when.service", "no service 'serch'", "search",
    ),
    "action": (
        "playbooks.yaml", "roll_back_ecs_service", "rollback_ecs_service",
        "playbooks[1].action", "no action 'rollback_ecs_service'", "roll_back_ecs_service",
    ),
    "target of a kind that the action does not take": (
        "playbooks.yaml", "function:checkout-api", "function:checkout-api:live",
        "playbooks[0].target", "takes AWS::Lambda::Function, not AWS::Lambda::Alias",
        "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:checkout-api",
    ),
    "target of another service": (
        "playbooks.yaml", "function:checkout-api", "function:search-api",
        "playbooks[0].target", "is no resource of the service",
        "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:checkout-api",
    ),
    "cells that the service does not have": (
        "playbooks.yaml", "service: orders", "service: settlement",
        "playbooks[1].target", "of which the service has none", "",
    ),
    "parameter": (
        "playbooks.yaml", "{ limit: 20 }", "{ limt: 20 }", "playbooks[0].parameters.limt", "no parameter", "limit",
    ),
    "a temporary change that is never lifted": (
        "playbooks.yaml", "    lift_after_seconds: 60\n", "", "playbooks[0].lift_after_seconds", "is temporary", "",
    ),
    "a page held by a playbook that asks": (
        "playbooks.yaml", "mode: full", "mode: propose",
        "playbooks[1].hold_page_seconds", "only a playbook of mode full", "",
    ),
    "a page held too long": (
        "playbooks.yaml", "hold_page_seconds: 180", "hold_page_seconds: 600",
        "playbooks[1].hold_page_seconds", "between 0 and 180", "",
    ),
    "mode": (
        "playbooks.yaml", "mode: propose", "mode: propse", "playbooks[0].mode", "'monitor', 'propose'", "propose",
    ),
    "limits of an unknown action": (
        "guardrails.yaml", "  roll_back_lambda_alias:", "  roll_back_lambda_aliases:",
        "limits.roll_back_lambda_aliases", "no action", "roll_back_lambda_alias",
    ),
    "more approvers than people": (
        "guardrails.yaml", "approvers: 1", "approvers: 4", "limits.*.approvers", "only 3 people can approve", "",
    ),
    "a name in a chat that nothing reads": (
        "people.yaml", "name: Bob Lindqvist", "name: Bob Lindqvist\n    slack: U0BOB",
        "people.bob.slack", "there is no such field", "",
    ),
    "approver role that nobody has": (
        "guardrails.yaml", "approver_role: sre", "approver_role: sres", "limits.*.approver_role", "nobody", "sre",
    ),
    "freeze that ends before it starts": (
        "guardrails.yaml", 'ends: "2026', 'ends: "2024', "freezes[0].ends", "is not after its start", "",
    ),
    "channel": (
        "channels.yaml", "  webhook:", "  webook:", "channels.webook", "no channel 'webook'", "webhook",
    ),
    "section in the wrong file": (
        "channels.yaml", "channels:", "rules: []\nchannels:", "rules", "does not belong into this file", "",
    ),
    "a pattern instead of a topic": (
        "sources.yaml", "shop-alarms", "*", "sns_topics[0]", "must be the ARN of one SNS topic", "",
    ),
    "a topic that is no text": (
        "sources.yaml", "arn:aws:sns:eu-central-1:444455556666:shop-alarms", "7", "sns_topics[0]", "string", "",
    ),
    "a topic twice": (
        "sources.yaml", "arn:aws:sns:eu-central-1:444455556666:shop-alarms",
        "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:own-alarms",
        "sns_topics[1]", "is listed twice", "",
    ),
    "a heartbeat whose secret is another one's that rotates": (
        "sources.yaml", "sns_topics:",
        "heartbeats: {export.previous: {service: checkout, every_seconds: 600}}\nsns_topics:",
        "heartbeats.export.previous", "must not end in .previous", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_named_with_its_field_reason_and_nearest_name(name: str, tmp_path: Path) -> None:
    file, old, new, field, reason, nearest = MISTAKES[name]
    found = [p for p in mistaken(tmp_path, file, old, new) if p.field == field]
    assert found, f"nothing was said about {field}"
    assert any(reason in problem.reason for problem in found)
    assert found[0].nearest == nearest
    assert found[0].file == str(tmp_path / file)


def test_the_line_is_the_offending_line(tmp_path: Path) -> None:
    [problem] = mistaken(tmp_path, "playbooks.yaml", "roll_back_lambda_alias", "roll_back_lambda")
    line = (tmp_path / "playbooks.yaml").read_text().splitlines()[problem.line - 1]
    assert line.strip() == "action: roll_back_lambda"
    assert str(problem) == (
        f"{tmp_path}/playbooks.yaml:{problem.line} playbooks[2].action: there is no action 'roll_back_lambda'; "
        "did you mean roll_back_lambda_alias?"
    )


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    mistaken(tmp_path, "services.yaml", "owner: storefront", "owner: storfront")
    rules = tmp_path / "rules.yaml"
    rules.write_text(rules.read_text().replace("sev1", "sev11"))
    problems = diagnose(tmp_path, INSTALLED)
    assert [p.field for p in problems] == ["services.checkout.owner", "rules[3].severity", "rules[4].severity"]
    with pytest.raises(Invalid) as refused:
        load(tmp_path, INSTALLED)
    assert str(refused.value).splitlines() == [str(p) for p in problems]


@pytest.mark.parametrize("when", ["{ source: incident-bot }", "{ source: incident-bot, labels.slowed: generic }"])
def test_a_rule_may_be_for_the_bots_own_alerts(when: str, tmp_path: Path) -> None:
    assert mistaken(tmp_path, "rules.yaml", "{ labels.severity: info }", when) == []


@pytest.mark.parametrize("text", ["channels: [", "channels: {}\n\t- x", "- a list", "\x00"])
def test_a_file_that_cannot_be_read_is_one_problem_and_blames_nobody_else(text: str, tmp_path: Path) -> None:
    shutil.copytree(TEAM, tmp_path, dirs_exist_ok=True)
    (tmp_path / "channels.yaml").write_text(text)
    assert [Path(p.file).name for p in diagnose(tmp_path, INSTALLED)] == ["channels.yaml"]


def test_a_team_needs_no_file_for_sources(tmp_path: Path) -> None:
    shutil.copytree(TEAM, tmp_path, dirs_exist_ok=True)
    (tmp_path / "sources.yaml").unlink()
    assert diagnose(tmp_path, INSTALLED) == []
    assert load(tmp_path, INSTALLED).sns_topics == ()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    shutil.copytree(TEAM, tmp_path, dirs_exist_ok=True)
    (tmp_path / "guardrails.yaml").unlink()
    assert [p.reason for p in diagnose(tmp_path, INSTALLED)] == ["the file is missing"]


def test_a_rota_that_begins_in_the_future_has_a_gap(tmp_path: Path) -> None:
    shutil.copytree(TEAM, tmp_path, dirs_exist_ok=True)
    problems = diagnose(tmp_path, INSTALLED, today=date(2026, 1, 4))
    assert {p.field for p in problems} == {"rotas.storefront-primary.starts", "rotas.platform-primary.starts"}


def test_what_was_to_be_reviewed_is_a_warning_on_the_day_after(tmp_path: Path) -> None:
    folder = shutil.copytree(TEAM, tmp_path / "team")
    rules = (folder / "rules.yaml").read_text()
    days = [date.fromisoformat(day) for day in re.findall("review_by: (.*)", rules)]
    on_time, late = min(days), min(days) + timedelta(days=1)
    assert diagnose(folder, INSTALLED, today=on_time) == []
    found = [problem for problem in diagnose(folder, INSTALLED, today=late) if problem.file.endswith("rules.yaml")]
    assert len(found) == days.count(on_time)
    assert {(problem.field.endswith(".review_by"), problem.warning) for problem in found} == {(True, True)}
    assert load(folder, INSTALLED).rules


def test_the_same_team_compiles_to_the_same_bytes_and_another_to_another_digest(tmp_path: Path) -> None:
    team = load(TEAM, INSTALLED)
    mistaken(tmp_path, "rules.yaml", "quiet_period: 10", "quiet_period: 11")
    other = load(tmp_path, INSTALLED)
    assert configuration.compile(team) == configuration.compile(load(TEAM, INSTALLED))
    assert team.digest.encode() in configuration.compile(team)
    assert team.digest != other.digest

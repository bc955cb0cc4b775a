"""Linting: alarms that would never reach a human, or whose incident would never end; each finding says why.

The rules are those of CloudWatch's user guide: "Using Amazon CloudWatch alarms" (actions, missing data, composite
alarms and their suppressors) and "Alarm events and EventBridge", which every change of an alarm's state goes to, with
actions or without.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from incident_bot.domain import missing
from incident_bot.domain.topic_policy import refusal

SILENT_FOR = timedelta(days=1)  # an alarm without data for longer watches nothing
PUBLISH = ("sns:Publish",)
ENCRYPT = ("kms:GenerateDataKey", "kms:Decrypt")
NOBODY = re.compile(r":(automate|autoscaling|ec2|swf|application-autoscaling|states|emr):")  # machines, not people
NOWHERE = (
    "no action is taken when it goes into ALARM{why}, and the bot's EventBridge rule is not in its account and region"
)
ENDLESS = (
    "no action is taken when it is OK again, and the bot's EventBridge rule, which would tell, is not in its account "
    "and region: its incident ends only when it is asked about or stale"
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as CloudWatch describes it; `resources` are the values of its metric's dimensions."""

    name: str
    arn: str = ""
    account: str = ""
    alarm_actions: tuple[str, ...] = ()
    ok_actions: tuple[str, ...] = ()
    actions_enabled: bool = True
    metric: str = ""  # empty for composite alarms, metric math and anomaly detection
    statistic: str = ""
    comparison: str = ""
    threshold: float | None = None
    missing: str = "missing"
    rule: str = ""  # of a composite alarm
    suppressor: str = ""
    state: str = ""
    state_since: datetime | None = None
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that alarms publish to; None is what is not known, and then nothing is said of it.

    Without a policy of its own a topic has SNS's default, which lets its own account's alarms publish.
    """

    subscribers: int | None = None
    policy: Mapping[str, Any] | None = None
    key: str = ""
    key_policy: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Around:
    """What an alarm stands in. `rule`: the bot's EventBridge rule is in its account and region.

    `owns` are service names by what owns an alarm: prefixes of names and resources; None where no configuration is
    given. `alarms` are the names of all that are known, empty where others may exist.
    """

    rule: bool = False
    topics: Mapping[str, Topic] = field(default_factory=dict)
    owns: "Owners | None" = None
    alarms: Mapping[str, Alarm] = field(default_factory=dict)
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Owners:
    """Which alarms services own: by the beginning of their names, or by the names of their resources."""

    prefixes: tuple[str, ...]
    resources: frozenset[str]
    fallback: str = ""  # the group that is paged for what nobody owns


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with an alarm: the rule's name and the reason."""

    alarm: str
    rule: str
    reason: str


def lint(alarm: Alarm, around: Around) -> list[Finding]:
    """Everything that is wrong with an alarm, in the order of the rules."""
    rules = (_actions, _topics, _missing_data, _composite, _owner, _no_data)
    return [Finding(alarm.name, name, reason) for rule in rules for name, reason in rule(alarm, around)]


Told = Iterator[tuple[str, str]]


def _actions(alarm: Alarm, around: Around) -> Told:
    if around.rule:  # every change of its state comes that way, whatever its actions are
        return
    if not alarm.actions_enabled:
        yield "no-alarm-action", NOWHERE.format(why=", as its actions are disabled")
    elif not alarm.alarm_actions:
        yield "no-alarm-action", NOWHERE.format(why="")
    elif all(NOBODY.search(action) for action in alarm.alarm_actions):
        yield "no-alarm-action", NOWHERE.format(why=" that people hear of: they only start machines")
    elif not alarm.ok_actions:
        yield "no-ok-action", ENDLESS


def _topics(alarm: Alarm, around: Around) -> Told:
    for arn in dict.fromkeys((*alarm.alarm_actions, *alarm.ok_actions)):
        topic = around.topics.get(arn)
        if topic is None:
            continue
        if topic.subscribers == 0:
            yield "topic-without-subscriber", f"nobody subscribes to {arn}"
        if topic.policy is not None and (why := refusal(topic.policy, PUBLISH, alarm.arn, alarm.account)):
            yield "topic-drops-cloudwatch", f"the policy of {arn} drops what CloudWatch publishes: {why}"
        if topic.key.endswith("alias/aws/sns"):
            yield "key-refuses-cloudwatch", f"{arn} is encrypted by alias/aws/sns, which CloudWatch may never use"
        elif topic.key_policy is not None and (why := refusal(topic.key_policy, ENCRYPT, alarm.arn, alarm.account)):
            yield "key-refuses-cloudwatch", f"the key of {arn} is not CloudWatch's to use: {why}"


def _missing_data(alarm: Alarm, around: Around) -> Told:  # noqa: ARG001 - every rule is asked alike
    yield from missing.judged(alarm.metric, alarm.statistic, alarm.comparison, alarm.threshold, alarm.missing)
    yield from missing.of_machines(alarm.alarm_actions, alarm.missing)


def _composite(alarm: Alarm, around: Around) -> Told:
    if alarm.rule.strip().strip("()").strip().upper() == "FALSE":
        yield "never-alarms", "its rule is the constant FALSE"
    if not alarm.suppressor:
        return
    name = alarm.suppressor.rpartition(":alarm:")[2]
    suppressor = around.alarms.get(name)
    if around.alarms and suppressor is None:
        yield "suppressor", f"its suppressor {name} is no alarm that is known"
    elif suppressor and suppressor.state == "ALARM" and _long(suppressor, around.now):
        yield "suppressor", f"its suppressor {name} has been in ALARM for more than a day: its actions are not taken"
    elif suppressor and suppressor.missing == "ignore":
        yield (
            "suppressor",
            f"its suppressor {name} ignores missing data: it may stay in ALARM and hold this one",
        )


def _owner(alarm: Alarm, around: Around) -> Told:
    owns = around.owns
    if owns is None or alarm.name.startswith(owns.prefixes or ("\0",)):
        return
    if not owns.resources.intersection(alarm.resources):
        yield "no-owner", f"no service has it under `alarms` or has its resource: {owns.fallback or 'nobody'} is paged"


def _no_data(alarm: Alarm, around: Around) -> Told:
    if alarm.state == "INSUFFICIENT_DATA" and _long(alarm, around.now):
        yield "no-data", "it has had no data for more than a day: it watches nothing"


def _long(alarm: Alarm, now: datetime | None) -> bool:
    return bool(now and alarm.state_since and now - alarm.state_since > SILENT_FOR)


def linted(alarms: Sequence[Alarm], around: Around) -> list[Finding]:
    """The findings of all alarms, in their order."""
    return [finding for alarm in alarms for finding in lint(alarm, around)]

"""Does every alarm that could not wake anybody, or could not end, get its finding, and no other one?"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from incident_bot.domain.lint import Alarm, Around, Owners, Topic, lint, linted
from incident_bot.virtual.clock import T0

ACCOUNT = "111122223333"
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:oncall"
ELSEWHERE = Around(rule=False)
HERE = Around(rule=True)


def an_alarm(**changes: Any) -> Alarm:
    """An alarm of a gauge that tells a topic when it begins and when it ends."""
    usual = Alarm(
        name="checkout-latency",
        arn=f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:checkout-latency",
        account=ACCOUNT,
        alarm_actions=(TOPIC,),
        ok_actions=(TOPIC,),
        metric="CPUUtilization",
        statistic="Average",
        comparison="GreaterThanThreshold",
        threshold=90.0,
        state="OK",
    )
    return replace(usual, **changes)


def found(around: Around, **changes: Any) -> list[str]:
    return [finding.rule for finding in lint(an_alarm(**changes), around)]


@pytest.mark.parametrize(
    ("changes", "elsewhere"),
    [
        ({}, []),
        ({"alarm_actions": ()}, ["no-alarm-action"]),
        ({"actions_enabled": False}, ["no-alarm-action"]),
        ({"alarm_actions": ("arn:aws:automate:eu-west-1:ec2:recover",)}, ["no-alarm-action"]),
        ({"alarm_actions": ("arn:aws:automate:eu-west-1:ec2:recover", TOPIC)}, []),
        ({"ok_actions": ()}, ["no-ok-action"]),
    ],
)
def test_actions_matter_where_the_bots_rule_does_not_hear_of_every_change(
    changes: dict[str, Any], elsewhere: list[str]
) -> None:
    assert found(ELSEWHERE, **changes) == elsewhere
    assert found(HERE, **changes) == []


GREATER, LESS = "GreaterThanThreshold", "LessThanOrEqualToThreshold"
EVERY = ("missing", "ignore", "breaching", "notBreaching")
WELL = {treated: ["sparse-missing-data"] for treated in EVERY} | {"notBreaching": []}  # silence means that all is well
GONE = {treated: ["heartbeat-missing-data"] for treated in EVERY} | {"breaching": []}  # silence means that it is gone
OPEN: dict[str, list[str]] = {treated: [] for treated in EVERY} | {
    "ignore": ["ignored-missing-data"]
}  # nobody can tell
SILENCES = [
    ("Errors", "Sum", GREATER, 0.0, WELL),
    ("Orders", "SampleCount", GREATER, 10.0, WELL),
    ("Errors", "Average", GREATER, 0.05, WELL),
    ("HTTPCode_Target_5XX_Count", "Maximum", GREATER, 1.0, WELL),
    ("ThrottledRequests", "p99", "GreaterThanOrEqualToThreshold", 1.0, WELL),
    ("Duration", "Average", GREATER, 1000.0, WELL),
    ("TargetResponseTime", "p99", GREATER, 1.0, WELL),
    ("Beats", "SampleCount", "LessThanThreshold", 1.0, GONE),
    ("Orders", "Sum", LESS, 0.0, GONE),
    ("Orders", "Sum", "LessThanThreshold", -1.0, OPEN),
    ("WorkerHeartbeat", "Maximum", "LessThanThreshold", 1.0, GONE),
    ("HealthyHostCount", "Minimum", "LessThanThreshold", 2.0, GONE),
    ("GroupInServiceInstances", "Average", LESS, 1.0, GONE),
    ("UnHealthyHostCount", "Maximum", GREATER, 0.0, OPEN),
    ("UnHealthyHostCount", "Maximum", "LessThanThreshold", 9.0, OPEN),
    ("StatusCheckFailed", "Maximum", GREATER, 0.0, OPEN),
    ("FreeStorageSpace", "Minimum", "LessThanThreshold", 1e9, OPEN),
    ("CPUUtilization", "Average", GREATER, 90.0, OPEN),
    ("ReadLatency", "Average", GREATER, 0.1, OPEN),  # of a database that is measured each minute
    ("DefaultConnections", "Average", GREATER, 9.0, OPEN),
    ("", "", GREATER, 5.0, OPEN),  # metric math
    ("", "", "LessThanLowerOrGreaterThanUpperThreshold", None, OPEN),  # anomaly detection
    ("", "", "", None, {treated: [] for treated in EVERY}),  # a composite alarm has no data of its own
]


@pytest.mark.parametrize("missing", EVERY)
@pytest.mark.parametrize("row", SILENCES, ids=lambda row: f"{row[0] or 'computed'} {row[1]} {row[2][:4]} {row[3]}")
def test_how_silence_is_treated_has_to_fit_what_it_means(row: tuple[Any, ...], missing: str) -> None:
    metric, statistic, comparison, threshold, rules = row
    watched = {"metric": metric, "statistic": statistic, "comparison": comparison, "threshold": threshold}
    assert found(HERE, **watched, missing=missing) == rules[missing]


RECOVER = "arn:aws:automate:eu-west-1:ec2:recover"


@pytest.mark.parametrize(
    ("missing", "rules"),
    [("missing", []), ("breaching", ["machine-missing-data"]), ("notBreaching", ["machine-missing-data"])],
)
def test_a_machine_is_not_restarted_because_data_is_late(missing: str, rules: list[str]) -> None:
    watched = {"metric": "StatusCheckFailed_System", "statistic": "Maximum", "threshold": 0.0}
    assert found(HERE, **watched, alarm_actions=(RECOVER,), missing=missing) == rules


def allowing(**condition: Any) -> dict[str, Any]:
    """A policy that lets CloudWatch publish under that condition."""
    principal = {"Service": "cloudwatch.amazonaws.com"}
    allow = {"Effect": "Allow", "Principal": principal, "Action": "sns:Publish", "Resource": TOPIC}
    return {"Statement": [allow | ({"Condition": condition} if condition else {})]}


DEFAULT = {
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["SNS:Publish", "SNS:Subscribe"],
        "Condition": {"StringEquals": {"AWS:SourceOwner": ACCOUNT}},
    }
}
TLS = {"Effect": "Deny", "Principal": "*", "Action": "sns:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
STRANGERS = {"Effect": "Deny", "Principal": "*", "Action": "SNS:Publish"}
NOT_OURS = {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}
OUTSIDE = STRANGERS | {"Condition": NOT_OURS}
NOT_AWS = NOT_OURS | {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}


@pytest.mark.parametrize(
    ("policy", "drops"),
    [
        (DEFAULT, False),
        (allowing(), False),
        (allowing(StringEquals={"aws:SourceAccount": ACCOUNT}), False),
        (allowing(StringEquals={"aws:SourceAccount": "999999999999"}), True),
        (allowing(ArnLike={"aws:SourceArn": f"arn:aws:cloudwatch:*:{ACCOUNT}:alarm:*"}), False),
        (allowing(ArnLike={"aws:SourceArn": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:*"}), True),
        (allowing(StringEquals={"aws:SourceArn": f"arn:aws:cloudwatch:*:{ACCOUNT}:alarm:*"}), True),
        (allowing(StringEquals={"aws:PrincipalOrgID": "o-1"}), True),
        (allowing(StringEqualsIfExists={"aws:PrincipalOrgID": "o-1"}), False),
        (allowing(StringEquals={"aws:SourceOrgID": "o-1"}), False),  # nobody can tell from here
        ({"Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sns:Publish"}]}, True),
        ({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sns:Subscribe"}]}, True),
        ({"Statement": [*allowing()["Statement"], TLS]}, False),
        ({"Statement": [*allowing()["Statement"], OUTSIDE]}, True),
        ({"Statement": [*allowing()["Statement"], OUTSIDE | {"Condition": NOT_AWS}]}, False),
    ],
)
def test_a_topic_that_drops_cloudwatch_is_told(policy: dict[str, Any], drops: bool) -> None:
    around = Around(rule=True, topics={TOPIC: Topic(subscribers=1, policy=policy)})
    assert found(around) == (["topic-drops-cloudwatch"] if drops else [])


@pytest.mark.parametrize(
    ("topic", "rules"),
    [
        (Topic(), []),
        (Topic(subscribers=0), ["topic-without-subscriber"]),
        (Topic(key="alias/aws/sns"), ["key-refuses-cloudwatch"]),
        (Topic(key="k", key_policy={"Statement": []}), ["key-refuses-cloudwatch"]),
        (Topic(key="k"), []),
        (
            Topic(
                key="k",
                key_policy={
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": {"Service": ["cloudwatch.amazonaws.com"]},
                        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                    }
                },
            ),
            [],
        ),
    ],
)
def test_a_topic_that_reaches_nobody_is_told(topic: Topic, rules: list[str]) -> None:
    assert found(Around(rule=True, topics={TOPIC: topic})) == rules


def test_a_composite_alarm_that_can_never_fire_or_is_held_for_good_is_told() -> None:
    holder = an_alarm(name="holder", state="ALARM", state_since=T0 - timedelta(days=2))
    around = Around(rule=True, alarms={"holder": holder}, now=T0)
    held = f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:holder"
    assert found(around, metric="", rule="FALSE") == ["never-alarms"]
    assert found(around, metric="", rule='ALARM("a")') == []
    assert found(around, metric="", suppressor=held) == ["suppressor"]
    assert found(around, metric="", suppressor="gone") == ["suppressor"]
    assert found(replace(around, alarms={"holder": an_alarm(state="OK")}), metric="", suppressor=held) == []


def test_an_alarm_that_no_service_owns_is_told_with_who_is_paged() -> None:
    around = Around(rule=True, owns=Owners(("checkout-",), frozenset({"orders"}), "group platform"))
    assert found(around) == []
    assert found(around, name="else", resources=("orders",)) == []
    [finding] = lint(an_alarm(name="else"), around)
    assert (finding.rule, finding.reason.endswith("group platform is paged")) == ("no-owner", True)


def test_an_alarm_without_data_for_days_watches_nothing() -> None:
    around = Around(rule=True, now=T0)
    since = {"state": "INSUFFICIENT_DATA", "state_since": T0 - timedelta(days=2)}
    assert found(around, **since) == ["no-data"]
    assert found(around, **since | {"state_since": T0 - timedelta(hours=1)}) == []
    assert found(around, **since | {"state": "OK"}) == []


def test_every_finding_names_its_alarm_and_says_why() -> None:
    findings = linted([an_alarm(), an_alarm(name="b", alarm_actions=()), an_alarm(name="c", ok_actions=())], ELSEWHERE)
    assert [finding.alarm for finding in findings] == ["b", "c"]
    assert all("EventBridge rule" in finding.reason for finding in findings)

"""`lint-alarms` reads templates and accounts, and finds nothing wrong with the product's own alarms."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from incident_bot.cli import alarms as reading
from infra.aws.synthesis import template
from tests.building import a_world
from tests.cli.running import Desk

ALARM = {
    "Type": "AWS::CloudWatch::Alarm",
    "Properties": {
        "AlarmName": "orders-errors",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "AlarmActions": [{"Ref": "Topic"}],
        "Dimensions": [{"Name": "FunctionName", "Value": "orders"}],
    },
}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(a_world(), tmp_path)


def linted(desk: Desk, document: Any, *more: str | Path) -> list[str]:
    """The rules that were broken, in a template."""
    file = desk.folder / "template.json"
    file.write_text(json.dumps(document))
    ran = desk.run("lint-alarms", file, "--json", *more)
    assert ran.code == bool(ran.json["findings"]), ran.err
    return [finding["rule"] for finding in ran.json["findings"]]


def test_our_own_alarms_reach_people_and_end(desk: Desk) -> None:
    assert linted(desk, template({"email": "oncall@example.com"})) == []


def test_our_own_alarms_reach_nobody_until_somebody_subscribes_to_the_notices(desk: Desk) -> None:
    assert set(linted(desk, template())) == {"topic-without-subscriber"}


def test_a_template_is_read_with_its_topics_and_their_policies(desk: Desk) -> None:
    topic: dict[str, Any] = {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": "alias/aws/sns"}}
    subscribed = topic | {"Properties": {"Subscription": [{"Protocol": "email", "Endpoint": "a@example.com"}]}}
    rules = ["no-ok-action", "topic-without-subscriber", "key-refuses-cloudwatch", "sparse-missing-data"]
    assert linted(desk, {"Resources": {"Alarm": ALARM, "Topic": topic}}) == rules
    assert linted(desk, {"Resources": {"Alarm": ALARM, "Topic": subscribed}}, "--rule") == ["sparse-missing-data"]


def test_a_topic_from_elsewhere_is_not_judged(desk: Desk) -> None:
    assert linted(desk, {"Resources": {"Alarm": ALARM}}, "--rule") == ["sparse-missing-data"]


def test_a_policy_may_be_one_statement(desk: Desk) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish"}
    policy = {"Topics": [{"Ref": "Topic"}], "PolicyDocument": {"Statement": deny}}
    topic = {
        "Type": "AWS::SNS::Topic",
        "Properties": {"Subscription": [{"Protocol": "email", "Endpoint": "a@b.example"}]},
    }
    resources = {"Alarm": ALARM, "Topic": topic, "Policy": {"Type": "AWS::SNS::TopicPolicy", "Properties": policy}}
    assert linted(desk, {"Resources": resources}, "--rule") == ["topic-drops-cloudwatch", "sparse-missing-data"]


def test_what_a_condition_decides_is_not_judged_and_no_value_is_none(desk: Desk) -> None:
    either = {"Fn::If": ["Prod", [{"Ref": "Topic"}], {"Ref": "AWS::NoValue"}]}
    none = [{"Ref": "AWS::NoValue"}]
    gauge = {"MetricName": "Duration", "Statistic": "Average", "Dimensions": either}
    decided = {"AlarmName": "decided", "AlarmActions": either, "OKActions": either, **gauge}
    untold = {"AlarmName": "untold", "AlarmActions": none, "OKActions": none, **gauge}
    policy = {"Topics": either, "PolicyDocument": either}
    resources = {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"Subscription": either}},
        "Policy": {"Type": "AWS::SNS::TopicPolicy", "Properties": policy},
        **{a["AlarmName"]: {"Type": "AWS::CloudWatch::Alarm", "Properties": a} for a in (decided, untold)},
        "Comment": "no resource",
    }
    assert linted(desk, {"Resources": resources}, "--no-rule") == ["no-alarm-action"]


def test_one_metric_is_judged_and_owned_however_it_is_named(desk: Desk) -> None:
    dimensions = [{"Name": "FunctionName", "Value": "orders"}]
    metric = {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": dimensions}
    query = {"Id": "m", "MetricStat": {"Metric": metric, "Stat": "Sum", "Period": 60}}
    computed = {"Id": "rate", "Expression": "m / 2"}
    usual = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 0, "AlarmActions": ["t"], "OKActions": ["t"]}

    def rules(*queries: Any) -> list[str]:
        alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {**usual, "Metrics": list(queries)}}
        return linted(desk, {"Resources": {"Alarm": alarm}}, "--rule")

    assert rules(query) == ["sparse-missing-data"]
    assert rules(computed, query) == []
    found = reading.of_template(
        {"Resources": {"Alarm": {**ALARM, "Properties": {"Metrics": [computed, query]}}}}, None, True
    )
    assert found[0][0].resources == ("orders",)


@pytest.mark.parametrize(
    ("narrowed", "rules"),
    [
        ({}, []),
        ({"resources": ["arn:aws:cloudwatch:eu-west-1:111122223333:alarm:one"]}, ["no-alarm-action"]),
        ({"detail": {"state": {"value": ["ALARM"]}}}, ["no-alarm-action"]),
    ],
)
def test_a_rule_that_takes_some_alarms_only_speaks_for_none(
    narrowed: dict[str, Any], rules: list[str], desk: Desk
) -> None:
    pattern = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"], **narrowed}
    rule = {"EventPattern": pattern, "Targets": [{"Id": "queue", "Arn": "arn:aws:sqs:eu-west-1:111122223333:signals"}]}
    untold = {"AlarmName": "untold", "MetricName": "Duration", "Statistic": "Average"}
    resources = {
        "Rule": {"Type": "AWS::Events::Rule", "Properties": rule},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": untold},
    }
    assert linted(desk, {"Resources": resources}) == rules


def test_owners_are_looked_up_in_the_configuration(desk: Desk) -> None:
    config = Path(__file__).parents[2] / "config"
    assert linted(desk, {"Resources": {"Alarm": ALARM}}, "--rule", "--config", config) == [
        "sparse-missing-data",
        "no-owner",
    ]


@pytest.mark.parametrize("text", ["{", "[]", '{"Resources": 1}'])
def test_what_is_no_template_is_named(text: str, desk: Desk) -> None:
    file = desk.folder / "template.json"
    file.write_text(text)
    ran = desk.run("lint-alarms", file)
    assert (ran.code, str(file) in ran.err) == (1, True)


@mock_aws
def test_an_account_is_read_by_describing_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    clients = {name: boto3.client(name, region_name="us-east-1") for name in ("cloudwatch", "sns", "kms")}
    topic = clients["sns"].create_topic(Name="oncall")["TopicArn"]
    common = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 5.0, "Period": 60}
    gauge = common | {"MetricName": "CPUUtilization", "Namespace": "AWS/EC2", "Statistic": "Average"}
    clients["cloudwatch"].put_metric_alarm(AlarmName="told", AlarmActions=[topic], OKActions=[topic], **gauge)
    clients["cloudwatch"].put_metric_alarm(AlarmName="untold", **gauge)
    ran = desk.run("lint-alarms", "--no-rule", "--json", clients=clients)
    found = {(f["alarm"], f["rule"]) for f in ran.json["findings"]}
    assert found == {("told", "topic-without-subscriber"), ("untold", "no-alarm-action")}


def test_an_account_that_may_not_be_read_is_a_sentence(desk: Desk) -> None:
    client = boto3.client("cloudwatch", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        stub.add_client_error("describe_alarms", service_error_code="AccessDenied", service_message="no")
        ran = desk.run("lint-alarms", "--json", clients={"cloudwatch": client})
    assert (ran.code, ran.out) == (1, "")
    assert "AccessDenied" in ran.err

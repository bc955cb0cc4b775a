"""Do alarms and events of AWS come in by topic and rule, and do people come in only as who they are?"""

import json

import httpx

from infra.local.operators import Operator
from tests.scenarios.driving import Stack, eventually, now, unique


def test_an_alarm_comes_by_the_topic_and_its_end_is_asked_of_cloudwatch(stack: Stack) -> None:
    alarm = unique("queue-depth")
    cloudwatch = stack.laptop.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Namespace="Scenario",
        MetricName=alarm,
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="scenario")
    stack.notify(alarm, "ALARM")
    found = eventually(lambda: [i for i in stack.get("/v1/incidents?limit=200") if i["title"] == alarm], "an incident")
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="scenario")
    stack.notify(alarm, "OK")
    eventually(lambda: stack.show(found[0]["id"])["state"] == "resolved", "it ends")
    said = [entry["text"] for entry in stack.show(found[0]["id"])["timeline"]]
    assert any("cloudwatch says it is resolved" in text for text in said)


def test_an_alarm_comes_by_its_own_lambda_action(stack: Stack) -> None:
    alarm, at = unique("lambda-action"), now()
    action = {
        "source": "aws.cloudwatch",
        "alarmArn": f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{alarm}",
        "accountId": "000000000000",
        "time": at,
        "region": "us-east-1",
        "alarmData": {"alarmName": alarm, "state": {"value": "ALARM", "reason": "scenario", "timestamp": at}},
    }
    receive = stack.function_of("receive")["FunctionName"]
    stack.laptop.client("lambda").invoke(FunctionName=receive, InvocationType="Event", Payload=json.dumps(action))
    eventually(lambda: [i for i in stack.get("/v1/incidents?limit=200") if i["title"] == alarm], "an incident")


def test_what_a_function_failed_for_good_comes_by_its_destination_and_a_success_ends_it(stack: Stack) -> None:
    function = unique("invoices")

    def told(condition: str, result: str) -> None:
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}"
        record = {"timestamp": now(), "requestContext": {"functionArn": arn, "condition": condition}}
        kind = f"Lambda Function Invocation Result - {result}"
        entry = {"Source": "lambda", "DetailType": kind, "Detail": json.dumps(record)}
        assert stack.laptop.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    told("RetriesExhausted", "Failure")
    incident = stack.incident(function)
    assert incident["title"] == f"Invocations of {function} fail"
    told("Success", "Success")
    assert stack.incident(function, "resolved")["id"] == incident["id"]


def test_a_failed_execution_comes_by_its_event_as_a_ticket_and_the_next_success_ends_it(stack: Stack) -> None:
    stack.laptop.production.run_settlement(fail=True)
    incident = stack.incident("settlement")
    assert (incident["severity"], incident["pages"]) == ("sev3", 0)
    stack.laptop.production.run_settlement(fail=False)
    assert stack.incident("settlement", "resolved")["id"] == incident["id"]


def test_the_bots_own_machines_are_no_source(stack: Stack) -> None:
    assert not [i for i in stack.get("/v1/incidents?limit=200") if "IncidentBot" in i["title"]]


def test_unsigned_and_tampered_calls_are_refused_and_a_stranger_only_reads(stack: Stack) -> None:
    outputs, iam = stack.laptop.outputs, stack.laptop.client("iam")
    url, host = f"{outputs.api_url}/v1/incidents", {"host": outputs.api_host}
    assert httpx.get(url, headers=host, trust_env=False).status_code == 403
    name = unique("stranger")
    iam.create_user(UserName=name)
    allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName=name, PolicyName="call", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    stranger = Operator(
        name, key["AccessKeyId"], key["SecretAccessKey"], outputs.api_url, outputs.api_host, outputs.region
    )
    assert stranger.get("/v1/incidents").status == 200
    assert stranger.post("/v1/kill-switch", {"on": True, "reason": "because"}).status == 403
    forger = Operator(
        name, key["AccessKeyId"], "no secret of theirs", outputs.api_url, outputs.api_host, outputs.region
    )
    assert forger.get("/v1/incidents").status == 403


def test_the_command_line_lists_shows_and_refuses_as_the_contract_says(stack: Stack) -> None:
    service = unique("typed")
    stack.alert(service)
    incident = stack.incident(service)["id"]
    listed = stack.command("list", "--service", service, "--json")
    assert listed.returncode == 0, listed.stderr
    (row,) = json.loads(listed.stdout)
    assert set(row) >= {
        "id",
        "state",
        "severity",
        "service",
        "title",
        "opened_at",
        "resolved_at",
        "alerts",
        "pages",
        "noise",
    }
    assert (row["id"], row["severity"], row["resolved_at"]) == (incident, "sev1", None)
    shown = json.loads(stack.command("show", incident, "--json").stdout)
    assert [entry["seq"] for entry in shown["timeline"]] == list(range(1, len(shown["timeline"]) + 1))
    assert stack.command("ack", incident, "--as", "bob").returncode == 0
    assert stack.command("show", "nothing").returncode == 1
    assert stack.command("frobnicate").returncode == 2
    assert json.loads(stack.command("kill-switch", "show", "--json").stdout)["on"] is False

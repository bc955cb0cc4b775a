"""Do the other ports keep their promises over AWS: all or Unavailable, gone is no error, denied is Denied?"""

import json
from typing import Any

import pytest
from botocore.stub import Stubber

from incident_bot.aws.clients import AwsClients
from incident_bot.aws.machines import StepFunctions
from incident_bot.aws.queue import SqsQueue
from incident_bot.aws.recordings import PAUSE, FirehoseRecordings
from incident_bot.aws.roles import ActionRoles
from incident_bot.aws.secrets import SsmSecrets
from incident_bot.aws.signals import EmbeddedMetrics, EventBus, S3Archive, SnsNotices
from incident_bot.domain.errors import Denied, IncidentBotError, NotFound, Refused, Unavailable
from incident_bot.virtual.clock import VirtualClock
from tests.aws.conftest import REGION, moto_client

pytestmark = pytest.mark.usefixtures("aws")
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:incident"


def test_clients_are_made_once_in_the_region_and_under_the_credentials_given() -> None:
    given = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "S", "aws_session_token": "T"}
    clients = AwsClients("eu-north-1", given)
    client = clients.client("sqs")
    assert clients.client("sqs") is client
    assert client.create_queue(QueueName="q")["QueueUrl"].startswith("https://sqs.eu-north-1.")
    assert client._request_signer._credentials.token == "T"


def scripted(service: str, operation: str, code: str) -> Any:
    client = moto_client(service)
    stubber = Stubber(client)
    stubber.add_client_error(operation, service_error_code=code)
    stubber.activate()
    return client


def a_queue() -> tuple[SqsQueue, Any, str]:
    client = moto_client("sqs")
    url = client.create_queue(QueueName="signals")["QueueUrl"]
    return SqsQueue(lambda: client, url), client, url


def received(client: Any, url: str) -> list[str]:
    bodies: list[str] = []
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        bodies += [message["Body"] for message in messages]
    return bodies


def test_any_number_of_messages_is_sent() -> None:
    queue, client, url = a_queue()
    bodies = [f"message {n}" for n in range(23)]
    queue.send(bodies)
    assert sorted(received(client, url)) == sorted(bodies)


def test_no_messages_are_no_request() -> None:
    SqsQueue(lambda: pytest.fail("nothing is to be sent"), "url").send([])


def test_a_message_is_sent_with_its_delay() -> None:
    client = moto_client("sqs")
    with Stubber(client) as stubber:
        expected = {"QueueUrl": "url", "MessageBody": "a", "DelaySeconds": 30}
        stubber.add_response("send_message", {"MessageId": "1"}, expected)
        SqsQueue(lambda: client, "url").send(["a"], delay_seconds=30)


@pytest.mark.parametrize(
    ("code", "error"), [("AWS.SimpleQueueService.OverLimit", Unavailable), ("AccessDenied", Denied)]
)
def test_a_message_that_is_not_taken_is_not_passed_over(code: str, error: type[IncidentBotError]) -> None:
    with pytest.raises(error):
        SqsQueue(lambda: scripted("sqs", "send_message", code), "url").send(["a"])


def a_machine() -> tuple[StepFunctions, Any]:
    client = moto_client("stepfunctions")
    definition = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 60, "End": True}}}
    role = "arn:aws:iam::123456789012:role/machine"
    arn = client.create_state_machine(name="incident", definition=json.dumps(definition), roleArn=role)
    return StepFunctions(lambda: client, {"incident": arn["stateMachineArn"]}), client


def test_an_execution_is_started_once_and_found_by_its_name() -> None:
    machines, client = a_machine()
    assert machines.start("incident", "inc1-1", {"incident": "inc1"})
    assert machines.running("incident", "inc1-1")
    assert not machines.running("incident", "inc1-2")
    executions = client.list_executions(stateMachineArn=machines._arns["incident"])["executions"]
    assert [execution["name"] for execution in executions] == ["inc1-1"]


def test_a_name_that_is_taken_is_said_not_raised() -> None:
    client = scripted("stepfunctions", "start_execution", "ExecutionAlreadyExists")
    assert not StepFunctions(lambda: client, {"incident": ARN}).start("incident", "inc1-1", {})


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_token_that_is_gone_is_no_error(code: str) -> None:
    StepFunctions(lambda: scripted("stepfunctions", "send_task_success", code), {}).wake("token")
    StepFunctions(lambda: scripted("stepfunctions", "send_task_failure", code), {}).leave("token", "Verify", {})


@pytest.mark.parametrize(("code", "error"), [("AccessDeniedException", Denied), ("ThrottlingException", Unavailable)])
def test_step_functions_failures_are_ours(code: str, error: type[IncidentBotError]) -> None:
    def machines(operation: str) -> StepFunctions:
        return StepFunctions(lambda: scripted("stepfunctions", operation, code), {"incident": ARN})

    with pytest.raises(error):
        machines("start_execution").start("incident", "x", {})
    with pytest.raises(error):
        machines("describe_execution").running("incident", "x")
    with pytest.raises(error):
        machines("send_task_success").wake("token")
    with pytest.raises(error):
        machines("send_task_failure").leave("token", "Verify", {})


def a_parameter(client: Any, name: str, value: str) -> None:
    client.put_parameter(Name=f"/incident-bot/{name}", Value=value, Type="SecureString", Overwrite=True)


def test_a_secret_is_read_with_its_predecessor_newest_first() -> None:
    client = moto_client("ssm")
    secrets = SsmSecrets(lambda: client, "/incident-bot", VirtualClock().now)
    a_parameter(client, "webhooks/generic", "new")
    a_parameter(client, "webhooks/generic.previous", "old")
    assert secrets.values("webhooks/generic") == ("new", "old")


def test_a_secret_is_cached_for_five_minutes() -> None:
    clock, client = VirtualClock(), moto_client("ssm")
    secrets = SsmSecrets(lambda: client, "/incident-bot/", clock.now)
    a_parameter(client, "key", "one")
    assert secrets.values("key") == ("one",)
    a_parameter(client, "key", "two")
    clock.advance(299)
    assert secrets.values("key") == ("one",)
    clock.advance(1)
    assert secrets.values("key") == ("two",)


@pytest.mark.parametrize(("code", "error"), [("ThrottlingException", Unavailable), ("AccessDeniedException", Denied)])
def test_a_secret_that_cannot_be_read_is_not_taken_for_missing(code: str, error: type[IncidentBotError]) -> None:
    secrets = SsmSecrets(lambda: scripted("ssm", "get_parameter", code), "/p", VirtualClock().now)
    with pytest.raises(error):
        secrets.values("key")


def test_a_secret_that_is_missing_is_not_found_and_asked_for_again() -> None:
    client = moto_client("ssm")
    secrets = SsmSecrets(lambda: client, "/incident-bot", VirtualClock().now)
    with pytest.raises(NotFound):
        secrets.values("key")
    a_parameter(client, "key", "one")
    assert secrets.values("key") == ("one",)


def test_a_notice_reaches_the_topic_whatever_is_in_its_subject() -> None:
    sns, (_, sqs, url) = moto_client("sns"), a_queue()
    topic = sns.create_topic(Name="notices")["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    assert SnsNotices(lambda: sns, topic).publish("Größer:\nline two " + "x" * 200, "text")
    (notice,) = (json.loads(body) for body in received(sqs, url))
    assert notice["Subject"].startswith("Gr??er: line two xxx")
    assert len(notice["Subject"]) == 100
    assert notice["Message"] == "text"


def test_the_archive_keeps_bytes_under_a_key() -> None:
    client = moto_client("s3")
    client.create_bucket(Bucket="archive")
    S3Archive(lambda: client, "archive").put("quarantine/a", b"\xff", "application/octet-stream")
    kept = client.get_object(Bucket="archive", Key="quarantine/a")
    assert (kept["Body"].read(), kept["ContentType"]) == (b"\xff", "application/octet-stream")


def some_recordings(clock: VirtualClock, *objects: str) -> tuple[FirehoseRecordings, Any]:
    s3 = moto_client("s3")
    s3.create_bucket(Bucket="recordings")
    for key in objects:
        s3.put_object(Bucket="recordings", Key=key, Body=key.encode())
    firehose = moto_client("firehose")
    stream = FirehoseRecordings(lambda: firehose, lambda: s3, clock.now, stream="stream", bucket="recordings")
    return stream, firehose


def test_recordings_are_listed_in_order_behind_a_key_and_read() -> None:
    recordings, _ = some_recordings(VirtualClock(), "deliveries/2", "deliveries/1", "failed/1", "deliveries/3")
    assert recordings.keys("deliveries/1") == ["deliveries/2", "deliveries/3"]
    assert recordings.keys("", limit=1) == ["deliveries/1"]
    assert recordings.get("deliveries/2") == b"deliveries/2"
    with pytest.raises(NotFound):
        recordings.get("deliveries/4")


def test_a_recording_is_one_record_and_after_a_failure_none_is_tried_for_a_while() -> None:
    clock = VirtualClock()
    recordings, firehose = some_recordings(clock)
    with Stubber(firehose) as stub:
        given = {"DeliveryStreamName": "stream", "Record": {"Data": b"data"}}
        stub.add_client_error("put_record", service_error_code="ServiceUnavailableException", expected_params=given)
        for _ in range(2):
            with pytest.raises(Unavailable):
                recordings.put(b"data")
        clock.advance(PAUSE.total_seconds())
        stub.add_response("put_record", {"RecordId": "r1"}, given)
        recordings.put(b"data")
        stub.assert_no_pending_responses()


def test_an_event_says_its_schema() -> None:
    client = moto_client("events")
    entry = {
        "EventBusName": "bus",
        "Source": "incident-bot",
        "DetailType": "Incident Opened",
        "Detail": '{"schema": 1, "incident": "inc1"}',
    }
    with Stubber(client) as stubber:
        stubber.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}, {"Entries": [entry]})
        EventBus(lambda: client, "bus").publish("Incident Opened", {"incident": "inc1"})
        failed = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "Busy", "ErrorMessage": "busy"}]}
        stubber.add_response("put_events", failed)
        with pytest.raises(Unavailable, match="busy"):
            EventBus(lambda: client, "bus").publish("Incident Opened", {})


def test_a_metric_is_a_line_that_cloudwatch_logs_understands() -> None:
    lines: list[str] = []
    EmbeddedMetrics(lines.append).count("Pages", 2, service="checkout")
    (metric,) = (json.loads(line) for line in lines)
    (directive,) = metric["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["service"]]
    assert directive["Metrics"] == [{"Name": "Pages", "Unit": "Count"}]
    assert (metric["Pages"], metric["service"]) == (2, "checkout")
    assert lines[0].endswith("\n")


def a_policy(statements: int) -> dict[str, Any]:
    allow = {"Effect": "Allow", "Action": "lambda:PutFunctionConcurrency", "Resource": ARN}
    return {"Version": "2012-10-17", "Statement": [allow] * statements}


def test_a_role_is_assumed_for_one_action_with_everything_that_narrows_it() -> None:
    client = moto_client("sts")
    expected = {
        "RoleArn": "arn:aws:iam::123456789012:role/incident-bot-act-limit-lambda-concurrency",
        "RoleSessionName": "inc1-a1",
        "DurationSeconds": 900,
        "Policy": json.dumps(a_policy(1), separators=(",", ":")),
        "Tags": [{"Key": "incident", "Value": "inc1/a1"}],
        "SourceIdentity": "ada",
    }
    given = {"AccessKeyId": "A" * 16, "SecretAccessKey": "S", "SessionToken": "T", "Expiration": 0}
    roles = ActionRoles(lambda: client, "arn:aws:iam::123456789012:role/incident-bot-act-", REGION)
    with Stubber(client) as stubber:
        stubber.add_response("assume_role", {"Credentials": given}, expected)
        clients = roles.assume(
            "limit_lambda_concurrency", policy=a_policy(1), tags={"incident": "inc1/a1"}, source_identity="ada"
        )
    credentials = clients.client("lambda")._request_signer._credentials
    assert (credentials.access_key, credentials.secret_key, credentials.token) == ("A" * 16, "S", "T")


def test_a_policy_that_sts_would_not_take_is_refused_before_anything_is_done() -> None:
    roles = ActionRoles(lambda: pytest.fail("STS is not asked"), "prefix", REGION)
    with pytest.raises(Refused):
        roles.assume("act", policy=a_policy(20), tags={}, source_identity="ada")


@pytest.mark.parametrize(
    ("code", "error"), [("AccessDenied", Denied), ("PackedPolicyTooLarge", Refused), ("Throttling", Unavailable)]
)
def test_a_role_that_cannot_be_assumed_says_why(code: str, error: type[IncidentBotError]) -> None:
    roles = ActionRoles(lambda: scripted("sts", "assume_role", code), "arn:aws:iam::123456789012:role/x-", REGION)
    with pytest.raises(error):
        roles.assume("act", policy=a_policy(1), tags={}, source_identity="ada")

"""The ways in, as AWS checks them and the emulator does not: who may send, invoke, poll and publish."""

import json

from incident_bot import plugins
from infra.aws.permissions import several
from infra.aws.readable import readable
from tests.infra.aws.reading import of, of_type, policies_of, properties

QUEUE_POLICY = ("AWS::SQS::QueuePolicy", "Queues")
TOPIC_POLICY = ("AWS::SNS::TopicPolicy", "Topics")


def _senders(template, queue: str) -> dict[str, list[str]]:
    """Service -> the sources that may send to that queue."""
    found: dict[str, list[str]] = {}
    for statement in policies_of(template, *QUEUE_POLICY, queue):
        if statement["Effect"] == "Allow":
            assert statement["Action"] in (
                "sqs:SendMessage",
                ["sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"],
            )
            (condition,) = statement["Condition"].values()
            senders = [readable(one) for one in several(condition["aws:SourceArn"])]
            found.setdefault(statement["Principal"]["Service"], []).extend(senders)
    return found


def test_only_our_rules_and_the_alarm_topic_send_into_the_queue(aws):
    patterned = {
        name for name, rule in of_type(aws, "AWS::Events::Rule").items() if "EventPattern" in rule["Properties"]
    }
    by_events = {name.replace("_", "") for name, source in plugins.sources().items() if source.event_patterns}
    assert {name.partition("Rule")[0].lower() for name in patterned} == by_events
    senders = _senders(aws, "SignalsQueue")
    assert set(senders) == {"events.amazonaws.com", "sns.amazonaws.com"}
    assert set(senders["events.amazonaws.com"]) == {f"<{name}.Arn>" for name in patterned}
    assert senders["sns.amazonaws.com"] == ["<AlarmTopic>"]


def test_what_rules_and_the_topic_could_not_deliver_may_reach_the_dead_letter_queue(aws):
    senders = _senders(aws, "DeadLetterQueue")
    assert set(senders["events.amazonaws.com"]) == {f"<{name}.Arn>" for name in of_type(aws, "AWS::Events::Rule")}
    assert senders["sns.amazonaws.com"] == ["<AlarmTopic>"]


def test_the_policies_of_queues_are_no_larger_than_sqs_takes(aws):
    for queue in ("SignalsQueue", "DeadLetterQueue"):
        statements = policies_of(aws, *QUEUE_POLICY, queue)
        ids = [statement["Sid"] for statement in statements if "Sid" in statement]
        assert len(statements) <= 20
        assert len(set(ids)) == len(ids)
        arns = sum(
            len(several(condition)) for s in statements for c in s["Condition"].values() for condition in c.values()
        )
        assert len(json.dumps(statements)) + 120 * arns < 8192


def test_rules_deliver_to_the_queue_and_keep_what_they_could_not(aws):
    for name, rule in of_type(aws, "AWS::Events::Rule").items():
        (target,) = rule["Properties"]["Targets"]
        expected = "<SweepFunction.Arn>" if name == "EachMinuteRule" else "<SignalsQueue.Arn>"
        assert readable(target["Arn"]) == expected
        assert readable(target["DeadLetterConfig"]["Arn"]) == "<DeadLetterQueue.Arn>"


def test_our_own_machines_open_no_incidents_about_themselves(aws):
    (machine,) = properties(aws, "StepFunctionsRule")["EventPattern"]["detail"]["stateMachineArn"]
    excluded = readable(machine["anything-but"]["prefix"])
    machines = [f"{excluded}{name}" for name in ("incident", "remediation", "decision")]
    assert [
        readable(properties(aws, f"{m}Machine")["StateMachineName"]) for m in ("Incident", "Remediation", "Decision")
    ] == [arn.rpartition(":")[2] for arn in machines]


def test_the_queue_and_topics_refuse_what_is_not_encrypted_on_its_way(aws):
    for kind, attached, name in (
        (*QUEUE_POLICY, "SignalsQueue"),
        (*QUEUE_POLICY, "DeadLetterQueue"),
        (*TOPIC_POLICY, "AlarmTopic"),
        (*TOPIC_POLICY, "NoticesTopic"),
        ("AWS::S3::BucketPolicy", "Bucket", "ArchiveBucket"),
    ):
        denied = [s for s in policies_of(aws, kind, attached, name) if s["Effect"] == "Deny"]
        assert [s["Condition"] for s in denied] == [{"Bool": {"aws:SecureTransport": "false"}}], name


def test_alarms_costs_and_databases_of_this_account_are_published_and_nothing_else_by_the_topics_own_policy(aws):
    publishers: dict[str, set[str]] = {}
    for topic in ("AlarmTopic", "NoticesTopic"):
        for allowing in (s for s in policies_of(aws, *TOPIC_POLICY, topic) if s["Effect"] == "Allow"):
            assert allowing["Action"] == "sns:Publish"
            (condition,) = allowing["Condition"].values()
            assert {key: readable(value) for key, value in condition.items()} == {
                "aws:SourceAccount": "<AWS::AccountId>"
            }
            publishers.setdefault(topic, set()).update(several(allowing["Principal"]["Service"]))
    assert publishers == {
        "AlarmTopic": {
            *("cloudwatch.amazonaws.com", "budgets.amazonaws.com", "costalerts.amazonaws.com"),
            "events.rds.amazonaws.com",
        },
        "NoticesTopic": {"cloudwatch.amazonaws.com"},
    }


def test_alarms_of_this_account_invoke_receive_and_what_it_cannot_take_is_kept(aws):
    (told,) = [
        permission["Properties"]
        for permission in of_type(aws, "AWS::Lambda::Permission").values()
        if permission["Properties"]["Principal"] == "lambda.alarms.cloudwatch.amazonaws.com"
    ]
    assert (readable(told["FunctionName"]), told["Action"]) == ("<ReceiveFunction.Arn>", "lambda:InvokeFunction")
    assert readable(told["SourceAccount"]) == "<AWS::AccountId>"
    kept = properties(aws, "ReceiveFunction")["DeadLetterConfig"]["TargetArn"]
    assert readable(kept) == "<DeadLetterQueue.Arn>"
    assert ("sqs:SendMessage", "<DeadLetterQueue.Arn>") in of(aws, "ReceiveRole")


def test_the_alarm_topic_feeds_the_queue_envelope_and_all(aws):
    (subscription,) = of_type(aws, "AWS::SNS::Subscription").values()
    told = subscription["Properties"]
    assert (readable(told["TopicArn"]), readable(told["Endpoint"])) == ("<AlarmTopic>", "<SignalsQueue.Arn>")
    assert not told.get("RawMessageDelivery"), "the envelope carries the message id by which repeats are known"
    assert readable(told["RedrivePolicy"]["deadLetterTargetArn"]) == "<DeadLetterQueue.Arn>"


def test_consume_polls_the_queue_in_batches_that_fail_one_by_one(aws):
    feed = properties(aws, "SignalsFeed")
    assert readable(feed["EventSourceArn"]) == "<SignalsQueue.Arn>"
    assert readable(feed["FunctionName"]) == "<ConsumeFunction>"
    assert (feed["BatchSize"], feed["MaximumBatchingWindowInSeconds"]) == (10, 0)
    assert feed["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert feed["ScalingConfig"] == {"MaximumConcurrency": 5}
    polling = {("sqs:ReceiveMessage"), ("sqs:DeleteMessage"), ("sqs:GetQueueAttributes")}
    assert polling <= {action for action, on in of(aws, "ConsumeRole") if on == "<SignalsQueue.Arn>"}


def test_a_message_is_hidden_long_enough_and_given_up_after_some_attempts(aws):
    queue, consume = properties(aws, "SignalsQueue"), properties(aws, "ConsumeFunction")
    assert queue["VisibilityTimeout"] >= 6 * consume["Timeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] >= 3
    assert readable(queue["RedrivePolicy"]["deadLetterTargetArn"]) == "<DeadLetterQueue.Arn>"


def test_publish_follows_both_tables_and_loses_nothing_silently(aws):
    for table in ("Incidents", "Timeline"):
        feed = properties(aws, f"{table}Feed")
        assert readable(feed["EventSourceArn"]) == f"<{table}Table.StreamArn>"
        assert readable(feed["FunctionName"]) == "<PublishFunction>"
        assert readable(feed["DestinationConfig"]["OnFailure"]["Destination"]) == "<DeadLetterQueue.Arn>"
        following = {action for action, on in of(aws, "PublishRole") if on == f"<{table}Table.StreamArn>"}
        assert following == {
            f"dynamodb:{a}" for a in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
        }
    assert ("sqs:SendMessage", "<DeadLetterQueue.Arn>") in of(aws, "PublishRole")


def test_webhooks_authenticate_themselves_and_everything_else_is_signed_for_aws(aws):
    routes = {r["Properties"]["RouteKey"]: r["Properties"] for r in of_type(aws, "AWS::ApiGatewayV2::Route").values()}
    assert {key: route["AuthorizationType"] for key, route in routes.items()} == {
        "ANY /v1/webhooks/{source}": "NONE",
        "ANY /v1/heartbeats/{name}": "NONE",
        "ANY /v2/enqueue": "NONE",
        "ANY /v2/change/enqueue": "NONE",
        "ANY /v1/{proxy+}": "AWS_IAM",
    }


def test_the_api_invokes_two_functions_each_for_its_own_routes(aws):
    invoking = set()
    for permission in of_type(aws, "AWS::Lambda::Permission").values():
        told = permission["Properties"]
        if told["Principal"] == "apigateway.amazonaws.com":
            route = readable(told["SourceArn"]).partition(":<HttpApi>/*/*")[2]
            invoking.add((readable(told["FunctionName"]), route))
    assert invoking == {
        ("<ReceiveFunction.Arn>", "/v1/webhooks/{source}"),
        ("<ReceiveFunction.Arn>", "/v1/heartbeats/{name}"),
        ("<ReceiveFunction.Arn>", "/v2/enqueue"),
        ("<ReceiveFunction.Arn>", "/v2/change/enqueue"),
        ("<OperateFunction.Arn>", "/v1/{proxy+}"),
    }


def test_the_clock_alone_invokes_sweep(aws):
    invoking = [
        (readable(p["Properties"]["FunctionName"]), readable(p["Properties"]["SourceArn"]))
        for p in of_type(aws, "AWS::Lambda::Permission").values()
        if p["Properties"]["Principal"] == "events.amazonaws.com"
    ]
    assert invoking == [("<SweepFunction.Arn>", "<EachMinuteRule.Arn>")]
    assert properties(aws, "EachMinuteRule")["ScheduleExpression"] == "rate(1 minute)"


def test_the_api_is_throttled_and_says_who_called(aws):
    stage = properties(aws, "ApiStage")
    limits = stage["DefaultRouteSettings"]
    assert 0 < limits["ThrottlingRateLimit"] <= limits["ThrottlingBurstLimit"]
    assert "$context.identity.userArn" in stage["AccessLogSettings"]["Format"]


def test_operators_call_the_api_and_decide_in_the_console_and_no_more(aws):
    actions = dict(of(aws, "OperatorPolicy"))
    assert set(actions) == {"execute-api:Invoke", "states:StartExecution"}
    assert actions["execute-api:Invoke"].endswith(":<HttpApi>/$default/*/v1/*")
    assert actions["states:StartExecution"].endswith(":stateMachine:IncidentBot-decision")


def test_secrets_are_read_by_those_who_check_or_send_with_them(aws):
    readers: dict[str, set[str]] = {}
    for role in of_type(aws, "AWS::IAM::Role"):
        for action, on in of(aws, role):
            if action.startswith("ssm:"):
                readers.setdefault(on.rpartition(":parameter")[2], set()).add(role.removesuffix("Role"))
    assert readers["/IncidentBot/webhooks/*"] == {"Receive", "Sweep"}
    assert "Receive" not in readers["/IncidentBot/channels/*"]


def test_no_resource_policy_opens_anything_to_everybody(aws):
    for kind in ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy"):
        for policy in of_type(aws, kind).values():
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                anybody = statement["Principal"] in ("*", {"AWS": "*"})
                assert not (anybody and statement["Effect"] == "Allow")
                assert several(statement["Action"])

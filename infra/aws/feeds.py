"""What feeds functions without being asked: the queue `consume`, the tables' streams `publish`, alarms `receive`."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_lambda_event_sources import SqsDlq
from constructs import Construct

from infra.aws.acceptance import accept
from infra.aws.functions import StageFunction
from infra.aws.naming import named
from infra.aws.signals import Signals
from infra.aws.storage import Storage

CONSUMERS = 5  # more would only contend for the scopes' heads
# What happens at once is one object of the archive; events on the bus wait for nothing.
WINDOWS = {"Incidents": Duration.seconds(0), "Timeline": Duration.seconds(10)}


class Feeds(Construct):
    """The three event source mappings."""

    def __init__(
        self, scope: Construct, *, consume: StageFunction, publish: StageFunction, signals: Signals, storage: Storage
    ) -> None:
        super().__init__(scope, "Feeds")
        queue = lambda_.EventSourceMapping(
            self,
            "Signals",
            target=consume.function,
            event_source_arn=signals.queue.queue_arn,
            batch_size=10,
            max_batching_window=Duration.seconds(0),
            max_concurrency=CONSUMERS,
            report_batch_item_failures=True,
        )
        named(queue, "SignalsFeed")
        accept(
            queue,
            "Serverless-LambdaEventSourceMappingDestination",
            "A queue's failures go to its own dead-letter queue; Lambda offers no destination for them.",
        )
        for name, table in (("Incidents", storage.incidents), ("Timeline", storage.timeline)):
            stream = lambda_.EventSourceMapping(
                self,
                name,
                target=publish.function,
                event_source_arn=table.table_stream_arn,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=100,
                max_batching_window=WINDOWS[name],
                bisect_batch_on_error=True,
                retry_attempts=5,
                report_batch_item_failures=True,
                on_failure=SqsDlq(signals.dead),
            )
            named(stream, f"{name}Feed")


class AlarmActions(Construct):
    """Alarms of this account may have `receive` as their Lambda action; what it cannot take becomes a dead letter.

    The dead-letter queue gets the alarm as it was sent, ready to be redriven; a failure destination would wrap it.
    """

    def __init__(self, scope: Construct, *, receive: StageFunction, signals: Signals) -> None:
        super().__init__(scope, "AlarmActions")
        receive.function.add_permission(
            "AlarmAction",
            principal=iam.ServicePrincipal("lambda.alarms.cloudwatch.amazonaws.com"),
            source_account=Stack.of(self).account,
        )
        function = receive.function.node.default_child
        if not isinstance(function, lambda_.CfnFunction):
            raise TypeError(f"a function of another kind: {function}")
        function.dead_letter_config = lambda_.CfnFunction.DeadLetterConfigProperty(target_arn=signals.dead.queue_arn)

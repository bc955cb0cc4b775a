"""What feeds functions without being asked: the queue feeds `consume`, the tables' streams feed `publish`."""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_lambda_event_sources import SqsDlq
from constructs import Construct

from infra.aws.acceptance import accept
from infra.aws.functions import StageFunction
from infra.aws.naming import named
from infra.aws.signals import Signals
from infra.aws.storage import Storage

CONSUMERS = 5  # more would only contend for the scopes' heads


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
                bisect_batch_on_error=True,
                retry_attempts=5,
                report_batch_item_failures=True,
                on_failure=SqsDlq(signals.dead),
            )
            named(stream, f"{name}Feed")

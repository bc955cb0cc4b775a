"""The world of a Lambda function: every port over AWS, nothing connected before it is used."""

import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from incident_bot.aws.clients import HASTY, AwsClients
from incident_bot.aws.http import HttpxClient
from incident_bot.aws.machines import StepFunctions
from incident_bot.aws.queue import SqsQueue
from incident_bot.aws.recordings import FirehoseRecordings
from incident_bot.aws.roles import ActionRoles
from incident_bot.aws.secrets import SsmSecrets
from incident_bot.aws.signals import EmbeddedMetrics, EventBus, S3Archive, SnsNotices
from incident_bot.aws.store import DynamoStore
from incident_bot.domain.identifier import TAILS, identifier
from incident_bot.domain.team import Team
from incident_bot.ingest.certificates import Certificates
from incident_bot.ingest.rate import RateLimit
from incident_bot.settings import Settings
from incident_bot.world import World


def aws_world(settings: Settings, team: Team) -> World:
    """The world that the environment describes."""
    clients = AwsClients(settings.region)
    hasty = AwsClients(settings.region, config=HASTY)

    web = HttpxClient()

    def connect(service: str) -> Callable[[], Any]:
        return partial(clients.client, service)

    return World(
        now=_now,
        new_id=lambda: identifier(_now(), secrets.randbelow(TAILS)),
        store=DynamoStore(connect("dynamodb"), settings.table, settings.timeline),
        queue=SqsQueue(connect("sqs"), settings.queue_url),
        machines=StepFunctions(connect("stepfunctions"), settings.machines),
        http=web,
        secrets=SsmSecrets(connect("ssm"), settings.parameters, _now),
        notices=SnsNotices(connect("sns"), settings.notices_topic),
        archive=S3Archive(connect("s3"), settings.archive_bucket),
        recordings=FirehoseRecordings(
            partial(hasty.client, "firehose"),
            connect("s3"),
            _now,
            stream=settings.recordings_stream,
            bucket=settings.recordings_bucket,
        ),
        bus=EventBus(connect("events"), settings.bus),
        metrics=EmbeddedMetrics(sys.stdout.write),
        clients=clients,
        roles=ActionRoles(connect("sts"), settings.action_roles, settings.region),
        team=team,
        region=settings.region,
        account=settings.account,
        partition=settings.partition,
        admit=RateLimit(_now, team.senders).admit,
        certificate=Certificates(web).fetch,
        api_url=settings.api_url,
    )


def _now() -> datetime:
    return datetime.now(UTC)

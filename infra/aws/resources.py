"""What functions use: the ARNs that the symbolic names in `grants.py` stand for, and the functions' environment."""

import json
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_events as events

from infra.aws.choices import Choices
from infra.aws.naming import action_role_prefix, executions_arn, machine_arn, parameters_arn, parameters_prefix
from infra.aws.signals import Notices, Signals
from infra.aws.storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Everything that functions use."""

    storage: Storage
    signals: Signals
    notices: Notices
    bus: events.EventBus

    def arns(self, choices: Choices) -> dict[str, list[str]]:
        """Symbolic name -> ARNs; action roles and a function's own log group come with who has them."""
        stack = Stack.of(self.storage)
        table, archive = self.storage.incidents.table_arn, self.storage.archive
        return {
            "*": ["*"],
            "incidents": [table],
            "due": [f"{table}/index/due"],
            "opened": [f"{table}/index/opened"],
            "timeline": [self.storage.timeline.table_arn],
            "streams": [str(t.table_stream_arn) for t in (self.storage.incidents, self.storage.timeline)],
            "archived postmortems": [archive.arn_for_objects("postmortems/*")],
            "archived quarantine": [archive.arn_for_objects("quarantine/*")],
            "archived timeline": [archive.arn_for_objects("timeline/*")],
            "recordings stream": [self.storage.recordings.stream.attr_arn],
            "recordings bucket": [self.storage.recordings.bucket.bucket_arn],
            "recordings": [self.storage.recordings.bucket.arn_for_objects("deliveries/*")],
            "queue": [self.signals.queue.queue_arn],
            "dead": [self.signals.dead.queue_arn],
            "notices": [self.notices.topic.topic_arn],
            "bus": [self.bus.event_bus_arn],
            "incident": [machine_arn(stack, "incident")],
            # The emulator does not know by its token which machine's execution is woken.
            "incident by token": ["*" if choices.target == "local" else machine_arn(stack, "incident")],
            "incident executions": [executions_arn(stack, "incident")],
            "remediation": [machine_arn(stack, "remediation")],
            "remediation executions": [executions_arn(stack, "remediation")],
            "webhook parameters": [parameters_arn(stack, "webhooks")],
            "channel parameters": [parameters_arn(stack, "channels")],
        }

    def environment(self, choices: Choices) -> dict[str, str]:
        """What `incident_bot.settings` reads."""
        stack = Stack.of(self.storage)
        return {
            "INCIDENTBOT_ACCOUNT": stack.account,
            "INCIDENTBOT_PARTITION": stack.partition,
            "INCIDENTBOT_TABLE": self.storage.incidents.table_name,
            "INCIDENTBOT_TIMELINE": self.storage.timeline.table_name,
            "INCIDENTBOT_ARCHIVE_BUCKET": self.storage.archive.bucket_name,
            "INCIDENTBOT_RECORDINGS_STREAM": self.storage.recordings.stream.ref,
            "INCIDENTBOT_RECORDINGS_BUCKET": self.storage.recordings.bucket.bucket_name,
            "INCIDENTBOT_QUEUE_URL": self.signals.queue.queue_url,
            "INCIDENTBOT_NOTICES_TOPIC": self.notices.topic.topic_arn,
            "INCIDENTBOT_BUS": self.bus.event_bus_name,
            "INCIDENTBOT_INCIDENT_MACHINE": machine_arn(stack, "incident"),
            "INCIDENTBOT_REMEDIATION_MACHINE": machine_arn(stack, "remediation"),
            "INCIDENTBOT_DECISION_MACHINE": machine_arn(stack, "decision"),
            "INCIDENTBOT_PARAMETERS": parameters_prefix(stack),
            "INCIDENTBOT_ACTION_ROLES": action_role_prefix(stack),
            "INCIDENTBOT_ENDPOINTS": json.dumps(dict(choices.endpoints or {}), sort_keys=True),
            "POWERTOOLS_SERVICE_NAME": "incident-bot",
            "POWERTOOLS_METRICS_NAMESPACE": "IncidentBot",
        }

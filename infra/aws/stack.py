"""The stack: what there is, put together; what each part is stands in its own file."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from aws_cdk import CfnOutput, CliCredentialsStackSynthesizer, DefaultStackSynthesizer, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from incident_bot import plugins
from incident_bot.domain.team import Team
from incident_bot.permission import Permission
from infra.aws import grants
from infra.aws.action_roles import ActionRoles, reads, usable
from infra.aws.alarms import Alarms
from infra.aws.api import Api, Operators
from infra.aws.choices import Choices
from infra.aws.feeds import AlarmActions, Feeds
from infra.aws.functions import Shared, StageFunction
from infra.aws.machines import Machines
from infra.aws.naming import action_role_arn, machine_arn, named, parameters_prefix
from infra.aws.policies import declared, untold
from infra.aws.resources import Resources
from infra.aws.rules import EachMinute, EventRules
from infra.aws.signals import Notices, Signals
from infra.aws.stages import FUNCTIONS, Stage, discover
from infra.aws.storage import Storage


class IncidentBot(Stack):
    """Incident Bot for one account and region; `layer` is the built layer's directory, the configuration in it."""

    def __init__(self, scope: Construct, *, choices: Choices, team: Team, layer: Path) -> None:
        # The emulator has no roles of CDK's bootstrap to assume.
        synthesizer = CliCredentialsStackSynthesizer() if choices.target == "local" else DefaultStackSynthesizer()
        super().__init__(scope, choices.stack, description="Incident Bot", synthesizer=synthesizer)
        self._choices, self._team = choices, team
        self._resources = self._used()
        functions = self._functions(self._shared(layer))
        signals, storage, notices = self._resources.signals, self._resources.storage, self._resources.notices.topic

        api = Api(self, receive=functions["receive"], operate=functions["operate"], url=choices.api_url)
        functions["sweep"].function.add_environment("INCIDENTBOT_API_URL", api.url)
        operators = Operators(self, api=api.api)
        Feeds(self, consume=functions["consume"], publish=functions["publish"], signals=signals, storage=storage)
        AlarmActions(self, receive=functions["receive"], signals=signals)
        EventRules(self, sources=plugins.sources(), signals=signals)
        EachMinute(self, sweep=functions["sweep"], signals=signals)
        Machines(self, functions=functions, notices_arn=notices.topic_arn)
        ActionRoles(self, actions=plugins.actions(), team=team, act=functions["act"].role)
        Alarms(self, notices=notices, signals=signals, receive=functions["receive"])
        self._tell(api, operators, alarm_action_arn=functions["receive"].arn)

    def _used(self) -> Resources:
        bus = events.EventBus(self, "Bus", event_bus_name=self.stack_name)
        named(bus, "Bus")
        tls = self._choices.tls_only
        signals = Signals(self, tls_only=tls)
        return Resources(
            storage=Storage(self, keep_data=self._choices.keep_data, tls_only=tls),
            signals=signals,
            notices=Notices(self, email=self._choices.email, dead=signals.dead, tls_only=tls),
            bus=bus,
        )

    def _shared(self, layer: Path) -> Shared:
        version = lambda_.LayerVersion(
            self,
            "Layer",
            # The directory's name is the digest of what is in it: hashing 20 MB again would be most of the synth.
            code=lambda_.Code.from_asset(str(layer), asset_hash=layer.name),
            description="Incident Bot's package, its dependencies and the compiled configuration",
        )
        named(version, "Layer")
        return Shared(
            code=lambda_.Code.from_asset(str(FUNCTIONS), exclude=["**/__pycache__"]),
            layer=version,
            environment=self._resources.environment(self._choices),
            arns={**self._resources.arns(self._choices), "action roles": self._action_roles()},
            reserve=self._choices.reserve,
        )

    def _action_roles(self) -> list[str]:
        return [action_role_arn(self, name) for name in usable(plugins.actions(), self._team)]

    def _functions(self, shared: Shared) -> dict[str, StageFunction]:
        return {s.name: StageFunction(self, stage=s, shared=shared, reads=self._reads(s)) for s in discover()}

    def _reads(self, stage: Stage) -> Sequence[iam.PolicyStatement]:
        """What the plugins that the stage uses declare to read."""
        wanted = list(self._declared(grants.READERS.get(stage.name)))
        return declared(untold(wanted) if self._choices.target == "local" else wanted)

    def _declared(self, plugin: str | None) -> Iterable[Permission]:
        if plugin == "actions":
            return reads(plugins.actions().values(), self._team)
        if plugin == "facts":
            return (p for fact in plugins.facts().values() for p in fact.permissions)
        if plugin == "sources":
            return (p for source in plugins.sources().values() for p in source.permissions)
        return ()

    def _tell(self, api: Api, operators: Operators, alarm_action_arn: str) -> None:
        used = self._resources
        outputs = {
            "ApiUrl": api.url,
            "ApiId": api.api.http_api_id,
            "AlarmTopicArn": used.signals.alarm_topic.topic_arn,
            "AlarmActionArn": alarm_action_arn,
            "SignalsQueueUrl": used.signals.queue.queue_url,
            "DeadLetterQueueUrl": used.signals.dead.queue_url,
            "TableName": used.storage.incidents.table_name,
            "TimelineTableName": used.storage.timeline.table_name,
            "IncidentMachineArn": machine_arn(self, "incident"),
            "RemediationMachineArn": machine_arn(self, "remediation"),
            "DecisionMachineArn": machine_arn(self, "decision"),
            "NoticesTopicArn": used.notices.topic.topic_arn,
            "ArchiveBucket": used.storage.archive.bucket_name,
            "BusName": used.bus.event_bus_name,
            "ParameterPrefix": parameters_prefix(self),
            "OperatorPolicyArn": operators.policy.managed_policy_arn,
            "LeftBehind": self._left_behind(),
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)

    def _left_behind(self) -> str:
        if not self._choices.keep_data:
            return "Nothing: removing this stack removes the tables, the archive and the recordings with it."
        storage = self._resources.storage
        archive, recordings = storage.archive.bucket_name, storage.recordings.bucket.bucket_name
        kept = f"{storage.incidents.table_name}, {storage.timeline.table_name}, {archive} and {recordings}"
        return f"Removing this stack leaves {kept} behind; deploy with -c removal=destroy first to remove them too."

"""One Lambda function with its own role and its own log group, for each stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.aws import grants
from infra.aws.acceptance import accept, accept_patterns
from infra.aws.naming import named
from infra.aws.policies import Arns, document, granting
from infra.aws.signals import CONSUME_SECONDS
from infra.aws.stages import Stage
from infra.layer import AWS_PYTHON

RUNTIME = lambda_.Runtime(f"python{AWS_PYTHON}", lambda_.RuntimeFamily.PYTHON)


@dataclass(frozen=True, slots=True)
class Size:
    """Memory in MB (CPU comes with it, and a cold start is mostly CPU), timeout in seconds, reserved concurrency."""

    memory: int = 512
    timeout: int = 30
    reserved: int | None = None


# The outage we page for may have eaten the account's concurrency: the paging path keeps some for itself.
SIZES: Mapping[str, Size] = {
    "receive": Size(memory=1024, timeout=10, reserved=20),
    "consume": Size(memory=1024, timeout=CONSUME_SECONDS, reserved=5),
    "advance": Size(memory=1024, reserved=10),
    "operate": Size(memory=1024),
    "sweep": Size(timeout=55),
    "enrich": Size(timeout=60),
    "propose": Size(timeout=60),
    "act": Size(timeout=60),
    "close": Size(timeout=60),
    "publish": Size(timeout=60),
}

# By stage, why it begins no traces of its own.
UNTRACED = {"receive": "It only passes deliveries on; the traces of a storm would cost more than to take it in."}

WAITED_FOR = (
    "Nothing invokes it asynchronously but, for sweep, a rule and, for receive, alarms, both with a dead-letter queue: "
    "the queue, the streams, API Gateway and Step Functions wait for the answer, try again and keep what failed."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all functions have in common."""

    code: lambda_.Code
    layer: lambda_.ILayerVersion
    environment: Mapping[str, str]
    arns: Arns
    reserve: bool


class StageFunction(Construct):
    """The function of one stage. Its role holds what `grants.py` says, what plugins declare to read, and no more."""

    def __init__(
        self, scope: Construct, *, stage: Stage, shared: Shared, reads: Sequence[iam.PolicyStatement] = ()
    ) -> None:
        super().__init__(scope, stage.title)
        self.stage = stage.name
        size = SIZES.get(stage.name, Size())
        log_group = a_log_group(self, f"{stage.title}Logs")
        granted = granting(grants.of(stage.name), {**shared.arns, "own log group": [log_group.log_group_arn]})
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies=document([*(statement for _, statement in granted), *reads]),
        )
        named(self.role, f"{stage.title}Role")
        self.function = lambda_.Function(
            self,
            "Function",
            architecture=lambda_.Architecture.ARM_64,
            runtime=RUNTIME,
            code=shared.code,
            handler=stage.handler,
            layers=[shared.layer],
            environment=shared.environment,
            log_group=log_group,
            # Lambda's own lines about each start and end would be most of the log, and are there as metrics anyway.
            logging_format=lambda_.LoggingFormat.JSON,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            memory_size=size.memory,
            timeout=Duration.seconds(size.timeout),
            reserved_concurrent_executions=size.reserved if shared.reserve else None,
            role=self.role.without_policy_updates(),
            tracing=lambda_.Tracing.PASS_THROUGH if stage.name in UNTRACED else lambda_.Tracing.ACTIVE,
        )
        named(self.function, f"{stage.title}Function")
        self._accept(granted, reads)

    @property
    def arn(self) -> str:
        return self.function.function_arn

    def _accept(
        self, granted: Sequence[tuple[grants.Grant, iam.PolicyStatement]], reads: Sequence[iam.PolicyStatement]
    ) -> None:
        for grant, statement in granted:
            accept_patterns(self, [statement], " ".join(grants.PATTERNS.get(name, "") for name in grant.on).strip())
        accept_patterns(self, reads, "A plugin declares it, to read only; permissions.txt shows it to whoever reviews.")
        accept(self, "Serverless-LambdaStarPermissions", "Each pattern is accepted by itself, with its reason.")
        if reason := UNTRACED.get(self.stage):
            accept(self, "Serverless-LambdaTracing", reason)
        for finding in ("Serverless-LambdaDLQ", "Serverless-LambdaAsyncFailureDestination"):
            accept(self, finding, WAITED_FOR)


def a_log_group(scope: Construct, logical_id: str) -> logs.LogGroup:
    """A log group that goes with the stack: what must be kept is the timeline, not the log."""
    group = logs.LogGroup(scope, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY)
    named(group, logical_id)
    return group

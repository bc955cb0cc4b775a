"""The three state machines: each is a file, CDK only says which function stands for which name in it."""

import re
from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.aws.acceptance import accept_patterns
from infra.aws.functions import StageFunction, a_log_group
from infra.aws.naming import MACHINES, machine_arn, machine_name, named
from infra.aws.policies import document
from infra.layer import ROOT

DEFINITIONS = ROOT / "statemachines"
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")

# Step Functions wants these to deliver to any log group at all, and to trace; neither has resources to name.
DELIVER_LOGS = (
    *("logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies"),
    *("logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery"),
)
TRACE = ("xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments")


class Machines(Construct):
    """All state machines, and what each may do: exactly what its definition names."""

    def __init__(self, scope: Construct, *, functions: Mapping[str, StageFunction], notices_arn: str) -> None:
        super().__init__(scope, "Machines")
        stages = {f"{function.node.id}FunctionArn": function.arn for function in functions.values()}
        others = {f"{name.capitalize()}MachineArn": machine_arn(Stack.of(self), name) for name in MACHINES}
        may = {name: ("lambda:InvokeFunction", value) for name, value in stages.items()}
        may |= {name: ("states:StartExecution", value) for name, value in others.items()}
        may["NoticesTopicArn"] = ("sns:Publish", notices_arn)
        for name in MACHINES:
            _Machine(self, name=name, may=may)


class _Machine(Construct):
    def __init__(self, scope: Construct, *, name: str, may: Mapping[str, tuple[str, str]]) -> None:
        super().__init__(scope, name.capitalize())
        definition = (DEFINITIONS / f"{name}.asl.json").read_text()
        mentioned = sorted(set(PLACEHOLDER.findall(definition)))
        if unknown := set(mentioned) - set(may):
            raise ValueError(f"{name}.asl.json names what is no stage: {', '.join(sorted(unknown))}")
        statements = _statements([may[placeholder] for placeholder in mentioned])
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com", conditions=_for_this(self, name)),
            inline_policies=document(statements),
        )
        named(role, f"{name.capitalize()}MachineRole")
        accept_patterns(self, statements, "Delivering logs and traces: IAM takes nothing but * for these actions.")
        machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=machine_name(Stack.of(self), name),
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_string(definition),
            definition_substitutions={placeholder: may[placeholder][1] for placeholder in mentioned},
            role=role.without_policy_updates(),
            # Execution data holds task tokens and alert text: the log is for errors, the table for the rest.
            logs=sfn.LogOptions(
                destination=a_log_group(self, f"{name.capitalize()}MachineLogs"),
                level=sfn.LogLevel.ALL,
                include_execution_data=False,
            ),
            tracing_enabled=True,
        )
        named(machine, f"{name.capitalize()}Machine")


def _for_this(scope: Construct, name: str) -> dict[str, object]:
    stack = Stack.of(scope)
    return {
        "StringEquals": {"aws:SourceAccount": stack.account},
        "ArnEquals": {"aws:SourceArn": machine_arn(stack, name)},
    }


def _statements(may: list[tuple[str, str]]) -> list[iam.PolicyStatement]:
    on: dict[str, list[str]] = {}
    for action, resource in may:
        on.setdefault(action, []).append(resource)
    statements = [
        iam.PolicyStatement(actions=[action], resources=resources) for action, resources in sorted(on.items())
    ]
    return [*statements, iam.PolicyStatement(actions=[*DELIVER_LOGS, *TRACE], resources=["*"])]

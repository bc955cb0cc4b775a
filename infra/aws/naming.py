"""The few physical names that a cycle demands, and readable logical ids for everything else."""

from aws_cdk import CfnResource, Fn, Stack
from constructs import Construct

MACHINES = ("incident", "remediation", "decision")


def named(construct: Construct, logical_id: str) -> None:
    """Give the construct's resource that logical id: a template, a diff and `permissions.txt` read without hashes, and
    moving a construct to another file replaces no table."""
    resource = construct.node.default_child or construct
    if not isinstance(resource, CfnResource):
        raise TypeError(f"{construct.node.path} has no resource of its own to name")
    resource.override_logical_id(logical_id)


def arn(template: str) -> str:
    """An ARN (or a pattern of one) with its `${AWS::...}` pseudo parameters left to CloudFormation."""
    return Fn.sub(template) if "${" in template else template


def machine_name(stack: Stack, machine: str) -> str:
    """The state machine's name, composed: its functions' roles name it, and it names its functions."""
    return f"{stack.stack_name}-{machine}"


def machine_arn(stack: Stack, machine: str) -> str:
    """The ARN that the machine will have."""
    name = machine_name(stack, machine)
    return arn(f"arn:${{AWS::Partition}}:states:${{AWS::Region}}:${{AWS::AccountId}}:stateMachine:{name}")


def executions_arn(stack: Stack, machine: str) -> str:
    """The pattern of its executions' ARNs."""
    name = machine_name(stack, machine)
    return arn(f"arn:${{AWS::Partition}}:states:${{AWS::Region}}:${{AWS::AccountId}}:execution:{name}:*")


def machines_prefix(stack: Stack) -> str:
    """What the ARNs of all our own machines start with."""
    return machine_arn(stack, "")


def action_role_prefix(stack: Stack) -> str:
    """What the ARNs of the action roles start with; the action's name with dashes follows."""
    return arn(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{stack.stack_name}-${{AWS::Region}}-")


def action_role_name(stack: Stack, action: str) -> str:
    """The action role's name, composed: `act` names the roles it may assume, and they name `act`. Roles are global, so
    the region is part of it."""
    return arn(f"{stack.stack_name}-${{AWS::Region}}-{action.replace('_', '-')}")


def action_role_arn(stack: Stack, action: str) -> str:
    """The ARN that the action's role will have."""
    name = f"{stack.stack_name}-${{AWS::Region}}-{action.replace('_', '-')}"
    return arn(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{name}")


def parameters_prefix(stack: Stack) -> str:
    """The SSM path below which the stack's secrets lie; people put them there, the stack never does."""
    return f"/{stack.stack_name}"


def parameters_arn(stack: Stack, below: str) -> str:
    """The pattern of the ARNs of the parameters below `<prefix>/<below>/`."""
    path = f"{parameters_prefix(stack)}/{below}/*"
    return arn(f"arn:${{AWS::Partition}}:ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter{path}")

"""From symbolic grants and plugins' declared permissions to the policy statements of a role."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from aws_cdk import aws_iam as iam

from incident_bot.permission import Permission
from infra.aws.grants import Grant
from infra.aws.naming import arn

# These name their resources in a list, which the emulator does not read.
UNTOLD = frozenset({"cloudwatch:DescribeAlarms", "ecs:DescribeServiceRevisions"})

Arns = Mapping[str, Sequence[str]]  # symbolic name -> ARNs or patterns of them


def granting(grants: Iterable[Grant], arns: Arns) -> list[tuple[Grant, iam.PolicyStatement]]:
    """The statement of each grant that names anything at all; KeyError for a name the stack does not know."""
    return [(grant, statement) for grant in grants if (statement := _granting(grant, arns))]


def _granting(grant: Grant, arns: Arns) -> iam.PolicyStatement | None:
    resources = [one for name in grant.on for one in arns[name]]
    if not resources:
        return None
    conditions = {operator: dict(keys) for operator, keys in grant.when.items()}
    return iam.PolicyStatement(actions=list(grant.actions), resources=resources, conditions=conditions)


def declared(permissions: Iterable[Permission]) -> list[iam.PolicyStatement]:
    """What plugins declare, each set of actions once, on all the resources it was declared for."""
    resources: dict[tuple[str, ...], dict[str, None]] = {}
    for permission in permissions:
        resources.setdefault(permission.actions, {}).update(dict.fromkeys(permission.resources))
    return [
        iam.PolicyStatement(actions=list(actions), resources=[arn(one) for one in named])
        for actions, named in sorted(resources.items())
        if named
    ]


def untold(permissions: Iterable[Permission]) -> list[Permission]:
    """The same permissions, on every resource where the emulator cannot tell which one a request names."""
    return [replace(p, resources=("*",)) if UNTOLD.intersection(p.actions) else p for p in permissions]


def document(statements: Sequence[iam.PolicyStatement]) -> dict[str, iam.PolicyDocument]:
    """The inline policy of a role (a policy of its own would reach the role after the function could run)."""
    return {"Grants": iam.PolicyDocument(statements=list(statements))}

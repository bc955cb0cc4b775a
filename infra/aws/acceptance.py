"""Accepting a finding of cdk-nag where it is right to: beside the resource, one finding at a time, with the reason."""

from collections.abc import Iterable

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.aws.readable import readable


def accept(construct: Construct, finding: str, because: str) -> None:
    """Accept one finding (`AwsSolutions-S1`, or `AwsSolutions-IAM5[Resource::*]`) on that construct."""
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=because))


def accept_patterns(construct: Construct, statements: Iterable[iam.PolicyStatement], because: str) -> None:
    """Accept the `*` in the resources (never in the allowed actions) of these statements, each pattern by itself."""
    for statement in statements:
        resources = Stack.of(construct).resolve(statement.resources)
        for pattern in sorted(text for text in map(readable, resources) if "*" in text):
            accept(construct, f"AwsSolutions-IAM5[Resource::{pattern}]", because)

"""What a plugin may do in AWS, declared beside the code that does it; roles are made of nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Permission:
    """AWS actions a plugin needs on resources (ARN patterns with the CloudFormation pseudo parameters)."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]

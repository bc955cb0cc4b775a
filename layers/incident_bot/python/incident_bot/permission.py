"""A permission as plug-ins declare it: AWS actions on resources."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Permission:
    """AWS actions a plug-in needs on resources (ARN patterns with the CloudFormation pseudo parameters)."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]

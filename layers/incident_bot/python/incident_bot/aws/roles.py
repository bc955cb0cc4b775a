"""The action roles: credentials for one action on one step's targets, minted when it acts and for no longer."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from incident_bot.aws.clients import AwsClients
from incident_bot.aws.failures import code, translated
from incident_bot.domain.errors import Refused
from incident_bot.world import Clients

LONGEST_POLICY = 2048
SECONDS = 900  # the shortest that STS gives
UNFIT = re.compile(r"[^\w+=,.@-]", re.ASCII)


class ActionRoles:
    """`Roles` whose ARNs are a prefix and the action's name with hyphens."""

    def __init__(self, connect: Callable[[], Any], prefix: str, region: str) -> None:
        self._connect = connect
        self._prefix = prefix
        self._region = region

    def assume(
        self, action: str, *, policy: Mapping[str, Any], tags: Mapping[str, str], source_identity: str
    ) -> Clients:
        narrowed = json.dumps(policy, separators=(",", ":"))
        if len(narrowed) > LONGEST_POLICY:
            raise _too_large(action)
        with translated(f"assuming the role of {action}"):
            try:
                answer = self._connect().assume_role(
                    RoleArn=self._prefix + action.replace("_", "-"),
                    RoleSessionName=UNFIT.sub("-", tags.get("incident", action))[:64],
                    DurationSeconds=SECONDS,
                    Policy=narrowed,
                    Tags=[{"Key": name, "Value": value} for name, value in tags.items()],
                    SourceIdentity=source_identity,
                )
            except ClientError as error:
                if code(error) in ("PackedPolicyTooLarge", "PackedPolicyTooLargeException"):
                    raise _too_large(action) from error
                raise
        return AwsClients(self._region, _credentials(answer["Credentials"]))


def _too_large(action: str) -> Refused:
    return Refused(f"the session policy of {action} is larger than STS takes", rule="session policy", status=409)


def _credentials(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }

"""The example team's people as IAM users of the laptop target, with real access keys that sign real requests."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from incident_bot.domain.team import Team

USER = ":user/"
PATIENCE_SECONDS = 30.0

Keys = dict[str, dict[str, str]]  # user name -> access_key_id, secret_access_key


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered: the status, and the body as JSON where it is JSON."""

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        return self.status < 300


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who calls the operator API with an access key; `host` is the Host header that names the API."""

    name: str
    access_key_id: str
    secret_access_key: str
    api_url: str
    host: str
    region: str

    def get(self, path: str) -> Answer:
        """Read `path`, which begins with /v1."""
        return self.call("GET", path)

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Order `body` at `path`."""
        return self.call("POST", path, body)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Sign for execute-api and send; an answer of any status is an answer."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"Host": self.host} | ({"Content-Type": "application/json"} if content else {})
        request = AWSRequest(method, f"http://{self.host}{path}", data=content, headers=headers)
        SigV4Auth(Credentials(self.access_key_id, self.secret_access_key), "execute-api", self.region).add_auth(request)
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(self.api_url))
        answer = httpx.request(
            method,
            f"{origin}{path}",
            content=content,
            headers=dict(request.headers.items()),
            timeout=PATIENCE_SECONDS,
            trust_env=False,
        )
        try:
            return Answer(answer.status_code, answer.json())
        except ValueError:
            return Answer(answer.status_code, answer.text)


def users(team: Team) -> list[str]:
    """The IAM users that are people of the team, in the order of people.yaml."""
    return [arn.rpartition(USER)[2] for person in team.people.values() for arn in person.arns if USER in arn]


def hire(iam: Any, names: list[str], policy_arn: str, remembered: Path) -> Keys:
    """IAM users with an access key and the operators' policy; keys made before and still valid are kept."""
    known: Keys = json.loads(remembered.read_text()) if remembered.exists() else {}
    keys = {name: _hired(iam, name, policy_arn, known.get(name)) for name in names}
    remembered.touch(mode=0o600)
    remembered.write_text(json.dumps(keys))
    return keys


def _hired(iam: Any, name: str, policy_arn: str, known: Mapping[str, str] | None) -> dict[str, str]:
    try:
        iam.create_user(UserName=name)
    except iam.exceptions.EntityAlreadyExistsException:
        valid = {key["AccessKeyId"] for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]}
        iam.attach_user_policy(UserName=name, PolicyArn=policy_arn)
        if known and known["access_key_id"] in valid:
            return dict(known)
        for key in valid:  # a run that was killed before it could write the key down; a user has two at most
            iam.delete_access_key(UserName=name, AccessKeyId=key)
    iam.attach_user_policy(UserName=name, PolicyArn=policy_arn)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return {"access_key_id": made["AccessKeyId"], "secret_access_key": made["SecretAccessKey"]}

"""Driving the deployed stack from outside, as its users do: webhooks, topics, signed calls, the command line."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import boto3
import httpx

from incident_bot import plugins
from infra.local.background import ROOT
from infra.local.laptop import Laptop
from infra.local.operators import Answer

T = TypeVar("T")
LOOK_SECONDS = 0.4
PATIENCE_SECONDS = 120.0


class NotYet(AssertionError):
    """What a scenario waits for did not happen in time."""


def now() -> str:
    """This moment, RFC 3339."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def unique(name: str) -> str:
    """A name that no other scenario uses."""
    return f"{name}-{uuid.uuid4().hex[:6]}"


def eventually(look: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """The first answer of `look` that is true, within bounded time."""
    until = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        if time.monotonic() > until:
            raise NotYet(f"{what}: not within {seconds:.0f} s")
        time.sleep(LOOK_SECONDS)


@dataclass(frozen=True)
class Stack:
    """The deployed stack and everything around it."""

    laptop: Laptop
    folder: Path

    # -- alerts in ---------------------------------------------------------------------------------------------------

    def webhook(
        self, source: str, body: bytes | Mapping[str, Any], method: str = "POST", secret: str = "", **headers: str
    ) -> httpx.Response:
        """Send a webhook as its vendor would, authentication on the raw body included."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        outputs = self.laptop.outputs
        known = secret or outputs.webhook_secrets.get(source, "")
        known_source = plugins.sources(self.laptop.team.custom).get(source)
        authentication = known_source.authentication if known_source else None
        signed = authentication.sign(content, known, datetime.now(UTC), uuid.uuid4().hex) if authentication else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"host": outputs.api_host, "content-type": "application/json"} | signed | named
        url = f"{outputs.api_url}/v1/webhooks/{source}"
        return httpx.request(method, url, content=content, headers=sent, timeout=30, trust_env=False)

    def alert(self, service: str, status: str = "firing", severity: str = "critical", **fields: Any) -> httpx.Response:
        """One `generic` alert of a service."""
        alert = {"title": f"{service} fails", "status": status, "service": service, "severity": severity, **fields}
        return self.webhook("generic", alert)

    def notify(self, alarm: str, state: str, at: str = "") -> None:
        """Publish to the alarm topic what CloudWatch publishes for an alarm."""
        arn = f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{alarm}"
        message = {
            "AlarmName": alarm,
            "AlarmArn": arn,
            "AWSAccountId": "000000000000",
            "Region": "US East (N. Virginia)",
            "NewStateValue": state,
            "OldStateValue": "OK" if state == "ALARM" else "ALARM",
            "NewStateReason": "Threshold Crossed",
            "StateChangeTime": at or now(),
            "Trigger": {"MetricName": "Latency", "Namespace": "Shop", "Dimensions": []},
        }
        sns = self.laptop.client("sns")
        sns.publish(TopicArn=self.laptop.outputs.alarm_topic_arn, Subject=alarm, Message=json.dumps(message))

    # -- what came of it ---------------------------------------------------------------------------------------------

    def get(self, path: str, name: str = "alice") -> Any:
        """What the operator API shows that person; fails on any status but 200."""
        answer = self.laptop.operator(name).get(path)
        assert answer.status == 200, answer
        return answer.body

    def post(self, path: str, body: Mapping[str, Any], name: str = "alice") -> Answer:
        """An order of that person."""
        return self.laptop.operator(name).post(path, body)

    def incidents(self, service: str) -> list[dict[str, Any]]:
        """The incidents of a service, newest first."""
        return [row for row in self.get("/v1/incidents?limit=200") if row["service"] == service]

    def incident(self, service: str, state: str = "", seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The service's newest incident, once it is there (in that state), with everything about it."""

        def look() -> dict[str, Any] | None:
            rows = self.incidents(service)
            return rows[0] if rows and (not state or rows[0]["state"] == state) else None

        found = eventually(look, f"an incident of {service} that is {state or 'there'}", seconds)
        return self.show(found["id"])

    def show(self, incident: str) -> dict[str, Any]:
        """Everything about an incident."""
        shown: dict[str, Any] = self.get(f"/v1/incidents/{incident}")
        return shown

    def pages(self, incident: str) -> list[dict[str, Any]]:
        """The triggers that PagerDuty's stand-in took for an incident (an escalation's key begins with its id)."""
        return [r for r in self.events(incident) if r["event_action"] == "trigger"]

    def events(self, incident: str) -> list[dict[str, Any]]:
        """All that PagerDuty's stand-in took for an incident, in order."""
        taken = self.laptop.receivers.records("pagerduty")
        return [dict(r) for r in taken if r["accepted"] and str(r["dedup_key"]).split(".")[0] == incident]

    def paged(self, incident: str, seconds: float = PATIENCE_SECONDS) -> list[dict[str, Any]]:
        """The same once there is one."""
        return eventually(lambda: self.pages(incident), f"a page of {incident}", seconds)

    # -- the account -------------------------------------------------------------------------------------------------

    def start_as(self, name: str, machine: str, order: Mapping[str, Any]) -> str:
        """Start an execution with that person's own keys; its ARN."""
        key = self.laptop.outputs.operators[name]
        states = boto3.client(
            "stepfunctions",
            endpoint_url=self.laptop.outputs.endpoint_url,
            region_name=self.laptop.outputs.region,
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
        )
        return str(states.start_execution(stateMachineArn=machine, input=json.dumps(order))["executionArn"])

    def function_of(self, stage: str) -> dict[str, Any]:
        """A stage's function, as Lambda describes it."""
        functions = self.laptop.client("lambda").list_functions()["Functions"]
        return next(dict(f) for f in functions if f["Handler"].endswith(f".{stage}.handler"))

    def role_of(self, stage: str) -> str:
        """The name of a stage's role, by its function's configuration."""
        return str(self.function_of(stage)["Role"]).rsplit("/", 1)[1]

    @contextmanager
    def denied(self, role: str, action: str, resource: str = "*") -> Iterator[None]:
        """Take one permission from a role, for a while."""
        deny = {"Effect": "Deny", "Action": action, "Resource": resource}
        policy, iam = json.dumps({"Version": "2012-10-17", "Statement": [deny]}), self.laptop.client("iam")
        iam.put_role_policy(RoleName=role, PolicyName="scenario", PolicyDocument=policy)
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName="scenario")

    # -- the command line --------------------------------------------------------------------------------------------

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `incidentbot` as a user does, in a folder whose .local/outputs.json says where."""
        program = str(ROOT / ".venv" / "bin" / "incidentbot")
        call = [sys.executable, program, *arguments]
        return subprocess.run(call, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False)

"""The laptop target as a whole: brings up emulator, stack, receivers, people and production, and reuses what is there.

    python -m infra.local.laptop --port 4599 --state .local

Every step looks before it makes, so a run that was killed half way is finished by the next one.
"""

import argparse
import json
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from incident_bot import configuration
from incident_bot.domain.errors import Invalid
from incident_bot.domain.team import Team
from infra.local import emulator as emulators
from infra.local import operators, receivers, secret_values, traffic
from infra.local.background import ROOT, STATE
from infra.local.deploy import deploy
from infra.local.emulator import HOST, REGION, Emulator
from infra.local.operators import Operator
from infra.local.production import Production
from infra.local.receivers import Receivers

STACK = "IncidentBot"
Say = Callable[[str], None]


class NotUp(RuntimeError):
    """The laptop target does not run here."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What `.local/outputs.json` says: everything that somebody needs who drives the target from outside."""

    endpoint_url: str
    region: str
    api_url: str
    api_host: str
    alarm_topic_arn: str
    signals_queue_url: str
    table_name: str
    timeline_table_name: str
    incident_machine_arn: str
    remediation_machine_arn: str
    decision_machine_arn: str
    receivers_url: str
    webhook_secrets: dict[str, str]
    operators: operators.Keys
    dead_letter_queue_url: str
    notices_topic_arn: str
    archive_bucket: str
    bus_name: str

    def save(self, path: Path) -> None:
        """Write it where nobody else may read it, whole or not at all."""
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(self), indent=2) + "\n")
        fresh.replace(path)


@dataclass(frozen=True, slots=True)
class Laptop:
    """The running target."""

    emulator: Emulator
    receivers: Receivers
    production: Production
    outputs: Outputs
    team: Team

    def operator(self, name: str) -> Operator:
        """That person of the team, ready to call the operator API."""
        key = self.outputs.operators[name]
        return Operator(name=name, **key, api_url=self.outputs.api_url, host=self.outputs.api_host, region=REGION)

    def client(self, service: str) -> Any:
        """A boto3 client as the emulator's root."""
        return _client(self.emulator, service)


def bring_up(port: int | None = None, state: Path = STATE, config: Path = ROOT / "config", say: Say = print) -> Laptop:
    """A running laptop target; raises what its parts raise when they cannot start."""
    state.mkdir(parents=True, exist_ok=True)
    team = configuration.load(config)
    emulator = emulators.start(port, state)
    say(f"emulator on {emulator.endpoint_url}, IAM enforced")
    doors = _receivers_port(emulator)
    stack = deploy(emulator, _context(emulator, doors, config), say=say)[STACK]
    stand_ins, secrets = _receive(emulator, doors, stack, team)
    say(f"stand-in receivers on {stand_ins.url}")
    policy, remembered = stack["OperatorPolicyArn"], emulator.scratch / "operators.json"
    keys = operators.hire(_client(emulator, "iam"), operators.users(team), policy, remembered)
    say(f"IAM users {', '.join(keys)}")
    production = Production(emulator.environment())
    production.create(stack["AlarmTopicArn"])
    outputs = _outputs(emulator, stand_ins, stack, secrets, keys)
    laptop = Laptop(emulator, stand_ins, production, outputs, team)
    _release(laptop)
    _traffic(laptop, state)
    say("a small production with traffic in it")
    outputs.save(state / "outputs.json")
    return laptop


def _context(emulator: Emulator, doors: int, config: Path) -> dict[str, str]:
    pagers = {"pagerduty": f"http://{HOST}:{doors}/pagerduty", "webhook": f"http://{HOST}:{doors}/webhook"}
    return {
        "target": "local",
        "config": str(config),
        "endpoints": json.dumps(pagers),
        "api_url": f"{emulator.endpoint_url}/_aws/execute-api/{{api}}",
    }


def _receive(emulator: Emulator, port: int, stack: dict[str, str], team: Team) -> tuple[Receivers, dict[str, str]]:
    """The stand-ins, with the keys that the bot has too, subscribed to its notices; and the webhooks' secrets."""
    ssm, prefix = _client(emulator, "ssm"), stack["ParameterPrefix"]
    secrets = secret_values.webhook_secrets(ssm, prefix, team)
    secret_values.heartbeat_secrets(ssm, prefix, team)
    stand_ins = receivers.start(
        port,
        emulator.state,
        routing_keys=secret_values.routing_keys(ssm, prefix, team),
        webhook_secret=secret_values.webhook_channel_secret(ssm, prefix, team),
        emulator_port=emulator.port,
    )
    stand_ins.subscribe(_client(emulator, "sns"), stack["NoticesTopicArn"])
    return stand_ins, secrets


def _outputs(
    emulator: Emulator, stand_ins: Receivers, stack: dict[str, str], secrets: dict[str, str], keys: operators.Keys
) -> Outputs:
    return Outputs(
        endpoint_url=emulator.endpoint_url,
        region=REGION,
        api_url=emulator.endpoint_url,
        api_host=f"{stack['ApiId']}.execute-api.localhost:{emulator.port}",
        alarm_topic_arn=stack["AlarmTopicArn"],
        signals_queue_url=stack["SignalsQueueUrl"],
        table_name=stack["TableName"],
        timeline_table_name=stack["TimelineTableName"],
        incident_machine_arn=stack["IncidentMachineArn"],
        remediation_machine_arn=stack["RemediationMachineArn"],
        decision_machine_arn=stack["DecisionMachineArn"],
        receivers_url=stand_ins.url,
        webhook_secrets=secrets,
        operators=keys,
        dead_letter_queue_url=stack["DeadLetterQueueUrl"],
        notices_topic_arn=stack["NoticesTopicArn"],
        archive_bucket=stack["ArchiveBucket"],
        bus_name=stack["BusName"],
    )


def _release(laptop: Laptop) -> None:
    """The kill switch is on until a person says otherwise: here the first of the team does, on the audit trail."""
    first = laptop.operator(next(iter(laptop.outputs.operators)))
    if first.get("/v1/kill-switch").body.get("on") is False:
        return
    answer = first.post("/v1/kill-switch", {"on": False, "reason": "the laptop target may act on its own production"})
    if not answer.ok:
        raise Invalid(f"the operator API answered {answer.status}: {answer.body}", where="kill switch")


def _traffic(laptop: Laptop, state: Path) -> None:
    target = traffic.Endpoint(
        url=f"{laptop.outputs.api_url}/v1/webhooks/alertmanager",
        authorization=f"Bearer {laptop.outputs.webhook_secrets['alertmanager']}",
        host=laptop.outputs.api_host,
    )
    traffic.start(laptop.emulator.process_environment(), target, state)


def _receivers_port(emulator: Emulator) -> int:
    """The port that the deployed functions call already, else the one after the emulator's, else any free one."""
    remembered = emulator.scratch / "receivers.port"
    if remembered.exists():
        return int(remembered.read_text())
    port = emulator.port + 1 if _free(emulator.port + 1) else _any_free()
    remembered.write_text(str(port))
    return port


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _client(emulator: Emulator, service: str) -> Any:
    environment = emulator.environment()
    patience = Config(connect_timeout=2, read_timeout=30, retries={"total_max_attempts": 2})
    return boto3.session.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    ).client(service, endpoint_url=emulator.endpoint_url, config=patience)


def find(state: Path = STATE, config: Path = ROOT / "config") -> Laptop:
    """The target that runs here; raises NotUp."""
    emulator, path = emulators.find(state), state / "outputs.json"
    if emulator is None or not path.exists():
        raise NotUp("nothing runs here: start it with `make demo`")
    outputs = Outputs(**json.loads(path.read_text()))
    doors, production = Receivers(outputs.receivers_url, state), Production(emulator.environment())
    return Laptop(emulator, doors, production, outputs, configuration.load(config))


def main(arguments: Sequence[str] | None = None) -> None:
    """Bring it up and leave it running."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.laptop")
    parser.add_argument("--port", type=int, default=int(os.environ.get("INCIDENTBOT_PORT") or emulators.DEFAULT_PORT))
    parser.add_argument("--state", type=Path, default=STATE)
    options = parser.parse_args(arguments)
    laptop = bring_up(options.port, options.state)
    print(f"up: {options.state / 'outputs.json'} says where; API host {laptop.outputs.api_host}")


if __name__ == "__main__":
    main()

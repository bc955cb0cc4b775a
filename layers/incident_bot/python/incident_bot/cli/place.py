"""Where a command goes and as whom: a stack by flags, the laptop target by its outputs, or AWS as it is set up."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from incident_bot.domain.answer import meaning
from incident_bot.domain.errors import Invalid, NotFound
from incident_bot.domain.nearest import nearest

STACK = "IncidentBot"
OUTPUTS = Path(".local") / "outputs.json"


@dataclass(frozen=True, slots=True)
class Options:
    """What the flags say; empty where they say nothing."""

    stack: str = ""
    profile: str = ""
    region: str = ""
    operator: str = ""

    @property
    def names_aws(self) -> bool:
        """Whether a flag chooses a stack on AWS."""
        return bool(self.stack or self.profile or self.region)


@dataclass(frozen=True, slots=True)
class Place:
    """One deployment, and the identity to call it with. `host` is the Host header that names the API."""

    name: str
    origin: str  # scheme, host and port to connect to
    host: str
    region: str
    credentials: Credentials
    client: Callable[[str], Any]
    alarm_topic: str
    queue: str
    secret: Callable[[str], str]  # a webhook source's secret
    local: bool = False


def found(options: Options, outputs: Path | None) -> Place:
    """Flags beat the laptop's outputs, which beat what AWS_* says; Invalid or NotFound where nothing can be reached."""
    if options.names_aws or outputs is None:
        return _deployed(options)
    return _laptop(options, outputs)


def outputs_near(directory: Path) -> Path | None:
    """The laptop target's outputs in that directory, above it, or in the checkout that this command belongs to."""
    checkout = Path(__file__).resolve().parents[5]
    candidates = (folder / OUTPUTS for folder in (directory, *directory.parents, checkout))
    return next((path for path in candidates if path.is_file()), None)


def _laptop(options: Options, outputs: Path) -> Place:
    said: Mapping[str, Any] = json.loads(outputs.read_text())
    operators = said["operators"]
    name = options.operator or next(iter(operators))
    if name not in operators:
        near = nearest(name, operators)
        hint = f"; did you mean {near}?" if near else f" ({', '.join(operators)})"
        raise Invalid(f"the laptop target has no operator {name!r}{hint}", where="--as")
    key = operators[name]
    return Place(
        name=str(outputs),
        origin=_origin(said["api_url"]),
        host=said["api_host"],
        region=said["region"],
        credentials=Credentials(key["access_key_id"], key["secret_access_key"]),
        client=lambda service: _emulated(service, said["endpoint_url"], said["region"]),
        alarm_topic=said["alarm_topic_arn"],
        queue=said["signals_queue_url"],
        secret=lambda source: _known_secret(said["webhook_secrets"], source),
        local=True,
    )


def _emulated(service: str, endpoint: str, region: str) -> Any:
    """The sender of an alert is a system of its own: it is the emulator's root, never the operator."""
    import boto3  # noqa: PLC0415 - half a second that few commands have to spend

    root = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.Session(region_name=region, **root).client(service, endpoint_url=endpoint)


def _deployed(options: Options) -> Place:
    if options.operator:
        raise Invalid(
            "only the laptop target keeps operators' keys; on AWS you are who your credentials say", where="--as"
        )
    import boto3  # noqa: PLC0415 - as above

    stack = options.stack or STACK
    try:
        session = boto3.Session(profile_name=options.profile or None, region_name=options.region or None)
        described = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        credentials = session.get_credentials()
    except (BotoCoreError, ClientError) as error:
        raise NotFound(f"stack {stack} cannot be read: {error}; is it deployed, or `make demo` running?") from error
    if credentials is None:
        raise NotFound("there are no AWS credentials")
    said = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", ())}
    return Place(
        name=f"stack {stack} in {session.region_name}",
        origin=_origin(said["ApiUrl"]),
        host=urlsplit(said["ApiUrl"]).netloc,
        region=session.region_name,
        credentials=credentials,
        client=session.client,
        alarm_topic=said["AlarmTopicArn"],
        queue=said["SignalsQueueUrl"],
        secret=lambda source: _parameter(session.client("ssm"), f"{said['ParameterPrefix']}/webhooks/{source}"),
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _known_secret(secrets: Mapping[str, str], source: str) -> str:
    if source not in secrets:
        raise NotFound(f"{source} has no webhook secret here ({', '.join(secrets)} have)")
    return secrets[source]


def _parameter(ssm: Any, name: str) -> str:
    try:
        return str(ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
    except (BotoCoreError, ClientError) as error:
        raise meaning(error) from error

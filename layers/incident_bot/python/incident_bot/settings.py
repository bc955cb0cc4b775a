"""The environment as a model: what the deployment tells every function, and the team's facts out of the layer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from incident_bot.domain.errors import Invalid
from incident_bot.domain.shape import load
from incident_bot.domain.team import Team

TEAM = Path(__file__).with_name("team.json")
REQUIRED = {
    "table": "INCIDENTBOT_TABLE",
    "timeline": "INCIDENTBOT_TIMELINE",
    "queue_url": "INCIDENTBOT_QUEUE_URL",
    "incident_machine": "INCIDENTBOT_INCIDENT_MACHINE",
    "remediation_machine": "INCIDENTBOT_REMEDIATION_MACHINE",
    "decision_machine": "INCIDENTBOT_DECISION_MACHINE",
    "notices_topic": "INCIDENTBOT_NOTICES_TOPIC",
    "archive_bucket": "INCIDENTBOT_ARCHIVE_BUCKET",
    "recordings_stream": "INCIDENTBOT_RECORDINGS_STREAM",
    "recordings_bucket": "INCIDENTBOT_RECORDINGS_BUCKET",
    "bus": "INCIDENTBOT_BUS",
    "parameters": "INCIDENTBOT_PARAMETERS",
    "action_roles": "INCIDENTBOT_ACTION_ROLES",
    "account": "INCIDENTBOT_ACCOUNT",
    "partition": "INCIDENTBOT_PARTITION",
    "region": "AWS_REGION",
}
ENDPOINTS = "INCIDENTBOT_ENDPOINTS"
API_URL = "INCIDENTBOT_API_URL"  # told to `sweep` alone: the API itself depends on other functions


@dataclass(frozen=True, slots=True)
class Settings:
    """Names and ARNs of the deployment; `endpoints` maps a channel to a base URL that replaces its configured one."""

    table: str
    timeline: str
    queue_url: str
    incident_machine: str
    remediation_machine: str
    decision_machine: str
    notices_topic: str
    archive_bucket: str
    recordings_stream: str
    recordings_bucket: str
    bus: str
    parameters: str
    action_roles: str
    account: str
    partition: str
    region: str
    endpoints: Mapping[str, str] = field(default_factory=dict)
    api_url: str = ""

    @property
    def machines(self) -> dict[str, str]:
        """The state machines' ARNs under the names that `Machines` knows them by."""
        return {
            "incident": self.incident_machine,
            "remediation": self.remediation_machine,
            "decision": self.decision_machine,
        }


def settings_from(environment: Mapping[str, str]) -> Settings:
    """The settings in that environment; Invalid names every variable that is missing or wrong, all at once."""
    missing = [variable for variable in REQUIRED.values() if not environment.get(variable)]
    if missing:
        raise Invalid(f"missing: {', '.join(missing)}", where="environment")
    values = {name: environment[variable] for name, variable in REQUIRED.items()}
    return Settings(
        **values, endpoints=_endpoints(environment.get(ENDPOINTS, "")), api_url=environment.get(API_URL, "")
    )


def team_from(text: str, settings: Settings) -> Team:
    """The compiled team, with the account's own values in its ARNs and the deployment's endpoints in its channels."""
    pseudo = {"Partition": settings.partition, "Region": settings.region, "AccountId": settings.account}
    for name, value in pseudo.items():
        text = text.replace(f"${{AWS::{name}}}", value)
    team = load(Team, json.loads(text))
    channels = {
        name: replace(channel, url=settings.endpoints.get(name, channel.url)) for name, channel in team.channels.items()
    }
    return replace(team, channels=channels)


def _endpoints(text: str) -> Mapping[str, str]:
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        raise Invalid(f"is not JSON: {error}", where=ENDPOINTS) from error
    if not isinstance(value, dict) or not all(isinstance(url, str) for url in value.values()):
        raise Invalid("is not a JSON object of channel names and URLs", where=ENDPOINTS)
    return value

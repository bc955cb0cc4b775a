"""The laptop target's secrets: made up once, kept where the product reads them (SSM), told to who must send them."""

import base64
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from incident_bot import plugins
from incident_bot.authentication import AnyOf, StandardWebhooks
from incident_bot.domain import heartbeat
from incident_bot.domain.team import Team


def webhook_secrets(ssm: Any, prefix: str, team: Team) -> dict[str, str]:
    """{source: its secret} for every source that is a webhook, those that the team describes included; heartbeats have
    their own."""
    return {
        name: _kept(ssm, f"{prefix}/webhooks/{source.sender}", _signing if _signs(source.authentication) else _token)
        for name, source in plugins.sources(team.custom).items()
        if source.authentication is not None and name != heartbeat.SOURCE
    }


def heartbeat_secrets(ssm: Any, prefix: str, team: Team) -> dict[str, str]:
    """{heartbeat: its secret} for every one that is configured."""
    return {name: _kept(ssm, f"{prefix}/webhooks/heartbeat/{name}", _token) for name in team.heartbeats}


def routing_keys(ssm: Any, prefix: str, team: Team) -> list[str]:
    """PagerDuty's integration keys, one for each parameter that a team names."""
    return [_kept(ssm, f"{prefix}/{name}", _token) for name in _pagers(team, "pagerduty")]


def webhook_channel_secret(ssm: Any, prefix: str, team: Team) -> str:
    """What the bot signs the webhook channel's messages with."""
    return _kept(ssm, f"{prefix}/{team.channels['webhook'].secret}", _signing)


def _pagers(team: Team, channel: str) -> Iterable[str]:
    return dict.fromkeys(group.pager[channel] for group in team.groups.values() if channel in group.pager)


def _kept(ssm: Any, name: str, make: Callable[[], str]) -> str:
    try:
        return str(ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        value = make()
        ssm.put_parameter(Name=name, Value=value, Type="SecureString")
        return value


def _signs(authentication: object) -> bool:
    ways = authentication.ways if isinstance(authentication, AnyOf) else (authentication,)
    return any(isinstance(way, StandardWebhooks) for way in ways)


def _signing() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"


def _token() -> str:
    return secrets.token_hex(16)  # what PagerDuty's senders take for a routing key, and everybody else for a token

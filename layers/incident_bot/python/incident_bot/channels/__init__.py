"""Channels: one file is one way to reach people and declares everything about it in one `Channel` named CHANNEL."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from incident_bot.domain.errors import NotFound, Refused, Unavailable
from incident_bot.domain.message import Message
from incident_bot.domain.team import ChannelSettings
from incident_bot.world import Response, World


@dataclass(frozen=True, slots=True)
class Delivery:
    """A provider took a message: its own reference of it."""

    reference: str


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to reach people.

    `send(message, key, settings, world, timeout_seconds)` delivers once per `message.key` (the provider deduplicates by
    it where it can) and returns the provider's reference. It raises Unavailable when it may be tried again and Refused
    when the provider will never take it. `key` is the pager key of the team or person (from SSM), if it has one.
    `deduplicates` is whether the provider takes the same key, or the end of a page it never got, without effect.
    """

    name: str
    reference: str  # the public document of the provider's API
    send: Callable[[Message, str, ChannelSettings, World, float], Delivery]
    deduplicates: bool
    default_url: str = ""


def named(name: str) -> Channel:
    """The channel of that name, its file imported only now: a broken one harms no page that goes another way."""
    try:
        channel = importlib.import_module(f"incident_bot.channels.{name}").CHANNEL
    except (ImportError, AttributeError) as missing:
        raise NotFound(f"there is no channel {name}") from missing
    if not isinstance(channel, Channel):
        raise NotFound(f"channels/{name}.py declares no Channel named CHANNEL")
    return channel


def taken(channel: str, response: Response, *, accepted: range = range(200, 300)) -> None:
    """Return where the provider took the message; Unavailable where it may take it later, Refused where never."""
    if response.status in accepted:
        return
    said = f"{channel} answered {response.status}: {response.body[:300].decode(errors='replace')}"
    if response.status in (408, 425, 429) or response.status >= 500:
        raise Unavailable(said)
    raise Refused(said, rule=channel, status=409)

"""What people are told: one message in plain text parts, before any channel dresses it for its medium."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from incident_bot.domain.alert import Severity


class Kind(StrEnum):
    """What the provider should do with it."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    UPDATE = "update"  # tell, do not wake


@dataclass(frozen=True, slots=True)
class Message:
    """One page or update. `key` is unique per intended effect; `thread` groups an incident's messages at the provider.

    Every text here may contain foreign text and is plain: a channel escapes it for its medium.
    """

    key: str
    thread: str
    kind: Kind
    severity: Severity
    title: str
    text: str
    service: str
    incident: str
    to: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)

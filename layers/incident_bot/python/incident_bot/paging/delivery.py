"""Handing a message to people: by the first channel that takes it, by the notices topic when none does; fails open.

Nothing that a channel does wrong (down, slow, refused, broken, its key unreadable) ends an attempt: it is written down
and the next way is tried.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from incident_bot import channels
from incident_bot.domain import compose
from incident_bot.domain.errors import IncidentBotError, NotFound
from incident_bot.domain.intent import Intent, Sent
from incident_bot.domain.message import Message
from incident_bot.domain.team import ChannelSettings
from incident_bot.world import World

FALLBACK = "fallback"  # the notices topic, when no channel takes it
SHORTEST_TRY_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Place:
    """One place at which a page stands: the team whose key it is, the channel, and the thread at its provider."""

    group: str
    channel: str
    thread: str

    @property
    def reference(self) -> str:
        """How a closing remembers that it closed this one."""
        return f"{self.group}/{self.channel}/{self.thread}"


@dataclass(frozen=True, slots=True)
class Tried:
    """What was taken, and what went wrong on the way."""

    sent: tuple[Sent, ...] = ()
    failures: tuple[str, ...] = ()

    def plus(self, other: "Tried") -> "Tried":
        """Both, in order."""
        return Tried(self.sent + other.sent, self.failures + other.failures)


def by_channels(
    world: World, message: Message, names: Sequence[str], *, group: str, to: str, deadline: datetime
) -> Tried:
    """Try the channels in order of preference until one takes the message. Each gets two thirds of the time left, the
    last all of it: one given up too early may have taken the message, and then people get it twice."""
    tried = Tried()
    for number, name in enumerate(names):
        left = (deadline - world.now()).total_seconds()
        seconds = left * 2 / 3 if number < len(names) - 1 else left
        if seconds < SHORTEST_TRY_SECONDS:
            return tried.plus(Tried(failures=(f"{name}: no time was left",)))
        tried = tried.plus(deliver(world, message, Place(group, name, message.thread), seconds, to))
        if tried.sent:
            break
    return tried


def deliver(world: World, message: Message, place: Place, timeout_seconds: float, to: str) -> Tried:
    """Hand the message to one channel."""
    settings = world.team.channels.get(place.channel) or ChannelSettings()
    try:
        channel = channels.named(place.channel)
        delivery = channel.send(message, _key(world, place), settings, world, timeout_seconds)
    except IncidentBotError as failure:
        return Tried(failures=(f"{place.channel}: {failure.reason}",))
    except Exception as failure:  # noqa: BLE001 - a page fails open: a broken channel is one that did not take it
        return Tried(failures=(f"{place.channel}: {type(failure).__name__}: {failure}",))
    return Tried((Sent(to, place.channel, delivery.reference, world.now()),))


def fall_back(world: World, message: Message, group: str, failures: Sequence[str]) -> Tried:
    """Tell the notices topic, and say there why nothing else carried the message."""
    why = "\n".join(["", "", "No channel took this message:", *(f"- {failure}" for failure in failures)])
    told = replace(message, text=message.text + why) if failures else message
    tried = deliver(world, told, Place(group, "sns", message.thread), 0.0, "the fallback topic")
    return replace(tried, sent=tuple(replace(sent, channel=FALLBACK) for sent in tried.sent))


def standing(pages: Sequence[Intent]) -> tuple[Place, ...]:
    """Where pages stand, and where one may stand because its sender got no answer, or died before it recorded one.

    A guess is made only for channels to which the end of a page they never got means nothing.
    """
    found: dict[Place, None] = {}
    for page in pages:
        taken = [sent.channel for sent in page.sent]
        tried = _tried(page, taken) if page.attempts else []
        names = [*taken, *(name for name in tried if _forgives(name))]
        thread = compose.thread(page.incident, page.name, page.purpose)
        found |= dict.fromkeys(Place(page.group, name, thread) for name in names)
    return tuple(found)


def _tried(page: Intent, taken: Sequence[str]) -> list[str]:
    """The channels that were tried without an answer: those before the one that took the page, all where none did."""
    channels = [name for step in page.steps for name in step.channels]
    answered = next((place for place, name in enumerate(channels) if name in taken), len(channels))
    return channels[:answered]


def close(
    world: World, message: Message, places: Sequence[Place], deadline: datetime, closed: Mapping[str, Sent]
) -> Tried:
    """Acknowledge or resolve at every place that is not in `closed` (by reference) yet."""
    tried = Tried()
    for number, place in enumerate(places):
        if place.reference in closed:
            continue
        seconds = max((deadline - world.now()).total_seconds() / (len(places) - number), SHORTEST_TRY_SECONDS)
        tried = tried.plus(_close_at(world, message, place, seconds))
    return tried


def _close_at(world: World, message: Message, place: Place, seconds: float) -> Tried:
    # A receiver that deduplicates by key must see another key for each thread.
    own = place.thread.removeprefix(message.incident)
    there = replace(message, key=f"{message.key}{own}", thread=place.thread)
    by = replace(place, channel="sns") if place.channel == FALLBACK else place
    tried = deliver(world, there, by, seconds, f"team {place.group}")
    named = (replace(sent, channel=place.channel, reference=place.reference) for sent in tried.sent)
    return replace(tried, sent=tuple(named))


def _key(world: World, place: Place) -> str:
    """The team's own key at that channel, the newest while it rotates; empty where it has none."""
    group = world.team.groups.get(place.group)
    name = group.pager.get(place.channel, "") if group else ""
    return world.secrets.values(name)[0] if name else ""


def _forgives(name: str) -> bool:
    try:
        return channels.named(name).deduplicates
    except NotFound:
        return False

"""`sources.yaml`: what alert sources must be told about this team; a team without such sources has no such file."""

import re
from collections.abc import Collection, Iterator

from incident_bot.configuration import custom
from incident_bot.configuration.draft import Draft
from incident_bot.configuration.problem import Flaw, unknown
from incident_bot.domain.team import Sender

TOPIC = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov|\$\{AWS::Partition\}):sns:([a-z0-9-]+|\$\{AWS::Region\})"
    r":(\d{12}|\$\{AWS::AccountId\}):[\w.-]{1,256}"
)
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
PREVIOUS = ".previous"  # of a secret's name, while it rotates: the secret before


def check(draft: Draft, installed: Collection[str]) -> Iterator[Flaw]:
    """Every topic is one, every heartbeat can be missed, every sender is a source, and all name services there are.

    `installed` are the sources that are files, whose names no described one may take.
    """
    yield from custom.check(draft.custom, installed)
    yield from _topics(draft)
    for name, beat in draft.heartbeats.items():
        if beat.service not in draft.names["services"]:
            yield unknown(("heartbeats", name, "service"), "service", beat.service, draft.names["services"])
        if beat.every_seconds < 60:
            yield Flaw(("heartbeats", name, "every_seconds"), "must be at least 60: it is looked at each minute")
        if beat.grace_seconds < 0:
            yield Flaw(("heartbeats", name, "grace_seconds"), "must not be negative")
        if not NAME.fullmatch(name):
            yield Flaw(("heartbeats", name), "stands in a URL: letters, digits, dots, dashes and underscores only")
        if name.endswith(PREVIOUS):
            before = name.removesuffix(PREVIOUS)
            why = f"must not end in {PREVIOUS}: its secret would be the one before of {before!r}, while that rotates"
            yield Flaw(("heartbeats", name), why)
    for name, sender in draft.senders.items():
        yield from _sender(name, sender, draft)


def _sender(name: str, sender: Sender, draft: Draft) -> Iterator[Flaw]:
    webhooks = (*draft.installed.labels, "sns")
    if name not in webhooks:
        yield unknown(("senders", name), "source", name, webhooks)
    if sender.service and sender.service not in draft.names["services"]:
        yield unknown(("senders", name, "service"), "service", sender.service, draft.names["services"])
    for limit in ("per_second", "burst"):
        if getattr(sender, limit) <= 0:
            yield Flaw(("senders", name, limit), "must be more than 0")


def _topics(draft: Draft) -> Iterator[Flaw]:
    """Every topic is the ARN of one: a pattern would let in whoever may name a topic so."""
    seen: set[str] = set()
    for index, topic in draft.sns_topics:
        if not TOPIC.fullmatch(topic):
            yield Flaw(("sns_topics", index), f"must be the ARN of one SNS topic, not {topic!r}")
        if topic in seen:
            yield Flaw(("sns_topics", index), "is listed twice")
        seen.add(topic)

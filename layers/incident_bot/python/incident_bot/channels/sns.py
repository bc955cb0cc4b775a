"""The notices topic as an ordinary channel: SNS carries it to whoever subscribed (e-mail, SMS, HTTP)."""

from incident_bot.channels import Channel, Delivery
from incident_bot.domain.message import Message
from incident_bot.domain.plaintext import line, plain
from incident_bot.domain.team import ChannelSettings
from incident_bot.world import World

SUBJECT_LIMIT = 100  # and ASCII, which is all that SNS takes


def send(message: Message, _key: str, _settings: ChannelSettings, world: World, _timeout_seconds: float) -> Delivery:
    """Publish the message; standard topics do not deduplicate, so a repeat is at most one extra."""
    return Delivery(world.notices.publish(subject(message), text(message)))


def subject(message: Message) -> str:
    """The title as SNS takes it: one line of printable ASCII, at most 100 characters."""
    ascii_only = line(message.title).encode("ascii", "replace").decode()
    return ascii_only[:SUBJECT_LIMIT].strip() or f"Incident {message.incident}"


def text(message: Message) -> str:
    """The whole message for a reader of plain text."""
    to = [f"To: {', '.join(message.to)}"] if message.to else []
    links = [f"{line(name, 100)}: {href}" for name, href in message.links.items()]
    return "\n".join([line(message.title), "", plain(message.text), "", *to, *links, f"Incident: {message.incident}"])


CHANNEL = Channel(
    name="sns",
    reference="https://docs.aws.amazon.com/sns/latest/api/API_Publish.html",
    send=send,
    deduplicates=False,
)

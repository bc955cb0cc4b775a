"""`channels.yaml`: where each channel's provider is reached and which secret opens it."""

from collections.abc import Iterator

from incident_bot.configuration.draft import Draft
from incident_bot.configuration.problem import Flaw, unknown


def check(draft: Draft) -> Iterator[Flaw]:
    """Every configured channel is one that is installed."""
    for name, settings in draft.channels.items():
        if name not in draft.installed.channels:
            yield unknown(("channels", name), "channel", name, draft.installed.channels)
        if settings.url and not settings.url.startswith("https://"):
            yield Flaw(("channels", name, "url"), "must start with https://")

"""A sender's clock: how far it is off, learned from the least delay between what it says and when that arrives."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from incident_bot.domain.head import SENDERS_KEPT

TOLERATED = 5  # seconds between a change and its arrival that are nothing but the way here
BELIEVED = timedelta(seconds=130)  # a source's word on when something began is not taken further back than this


def learned(senders: Mapping[str, int], sender: str, said: datetime, heard: datetime) -> Mapping[str, int]:
    """What is known of the senders' clocks once one of them said at `heard` that something happened at `said`."""
    behind = round((heard - said).total_seconds())
    known = senders.get(sender)
    if known is not None and abs(behind) >= abs(known):
        return senders
    kept = dict(list(senders.items())[-SENDERS_KEPT + 1 :]) if known is None else dict(senders)
    return {**kept, sender: 0 if abs(behind) <= TOLERATED else behind}


def moment(senders: Mapping[str, int], sender: str, said: datetime, heard: datetime) -> tuple[datetime, datetime]:
    """When it happened by our clock, as far as the sender's is known, and when it happened if that clock is right.

    Of a sender that was not heard of before only the arrival counts. Nothing happens after it was heard.
    """
    known = senders.get(sender)
    corrected = min(heard, max(heard - BELIEVED, said + timedelta(seconds=known or 0)))
    return (heard if known is None else corrected), corrected

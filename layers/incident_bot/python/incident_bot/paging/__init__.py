"""Reaching people: what an intent says is sent to whoever is on call now, and never silently not."""

from incident_bot.paging.due import send_due
from incident_bot.paging.sending import TRIES, Outcome, send

__all__ = ["TRIES", "Outcome", "send", "send_due"]

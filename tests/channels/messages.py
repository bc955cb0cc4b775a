"""The message that the channel tests send, and text that no medium should let act."""

from typing import Any

from incident_bot.domain.alert import Severity
from incident_bot.domain.message import Kind, Message

HOSTILE = "<script>@everyone\u202e\x1b[31m https://evil.test\n"


def a_message(**changes: Any) -> Message:
    """A Sev1 page of `inc1` to ada."""
    fields: dict[str, Any] = {
        "key": "inc1.page-first",
        "thread": "inc1",
        "kind": Kind.TRIGGER,
        "severity": Severity.SEV1,
        "title": "[Sev1] checkout: errors",
        "text": "What is known:\n- errors",
        "service": "checkout",
        "incident": "inc1",
        "to": ("ada",),
        "links": {"Runbook": "https://wiki.example.com/checkout"},
        "details": {"incident": "inc1", "team": "payments", "purpose": "first"},
    }
    return Message(**{**fields, **changes})

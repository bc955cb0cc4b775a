"""AWS Budgets: a budget that was spent, or will be, up to one of its thresholds, as prose on the alarm topic.

AWS publishes these words and no other format, and describes none of them; so what is not found is left out, and only
the budget's name must be there. Whatever thresholds it passes, what a budget has spent is one series and what it is
forecast to spend another. AWS never says that either is over: they end by staleness or by a person.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import bounded, kind, moment, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._fields import labelled

NAME = "Budget Name"
CHARACTERS = 8_000  # of the notification that are read; they have less than a thousand
AMOUNTS = ("Budgeted Amount", "Alert Threshold", "ACTUAL Amount", "FORECASTED Amount")
LINE = re.compile(r"^[ \t]*([A-Z][A-Za-z ]{2,40}):[ \t]+(\S[^\r\n]*)", re.MULTILINE)
ACCOUNT = re.compile(r"\bAWS Account (\d{12})\b")


def recognise(envelope: Mapping[str, Any]) -> bool:
    """A notification whose prose names a budget."""
    message = envelope.get("Message")
    return (
        envelope.get("Type") == "Notification"
        and isinstance(message, str)
        and f"{NAME}:" in message[:CHARACTERS]
        and "AWS" in message[:CHARACTERS]
    )


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one budget of the notification."""
    message, at = body.get("Message"), moment(body, "Timestamp", received_at)
    if not isinstance(message, str):
        raise Unparseable(f"Message is {kind(message)}, expected a string", field="Message")
    if at is None:
        raise Unparseable("Timestamp is missing", field="Timestamp")
    return Parsed((_alert(body, message[:CHARACTERS], at),))


def _alert(envelope: Mapping[str, Any], message: str, at: datetime) -> Alert:
    said = {name: value.rstrip() for name, value in reversed(LINE.findall(message))}  # of a repeated name, the first
    if NAME not in said:
        raise Unparseable(f"no line says {NAME}:", field="Message")
    budget, measured = bounded(said[NAME], NAME), said.get("Alert Type", "").upper()
    told = ACCOUNT.search(message)
    account = told[1] if told else [*text(envelope, "TopicArn").split(":", 5), *[""] * 5][4]
    return Alert(
        source="budgets",
        title=f"Budget {budget} is {'forecast to pass' if measured == 'FORECASTED' else 'past'} its threshold",
        status=Status.FIRING,
        identity={"account": account, "budget": budget, "measured": measured},
        occurred_at=at,
        started_at=at,
        summary=", ".join(f"{name} {said[name]}" for name in AMOUNTS if name in said)[:500],
        labels=labelled(
            account=account,
            budget=budget,
            measured=measured,
            budget_type=said.get("Budget Type"),
            threshold=said.get("Alert Threshold"),
        ),
        links={"source": "https://console.aws.amazon.com/billing/home#/budgets"},
    )


_ACTUAL = """AWS Budget Notification January 15, 2026
AWS Account 111122223333

Dear AWS Customer,

You asked to be told when the ACTUAL Cost of your shop-monthly budget is greater than $800.00 for the current month.
The ACTUAL Cost of this budget is $1,012.44.

Budget Name: shop-monthly
Budget Type: Cost
Budgeted Amount: $1,000.00
Alert Type: ACTUAL
Alert Threshold: > $800.00
ACTUAL Amount: $1,012.44

[1] https://console.aws.amazon.com/billing/home#/budgets
"""


def _notification(message: str) -> Mapping[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": "46b827e0",
        "TopicArn": "arn:aws:sns:eu-central-1:111122223333:alarms",
        "Subject": "AWS Budgets: shop-monthly has exceeded your alert threshold",
        "Message": message,
        "Timestamp": "2026-01-15T10:00:05.125Z",
    }


_IDENTITY = {"account": "111122223333", "budget": "shop-monthly", "measured": "ACTUAL"}

SOURCE = Source(
    name="budgets",
    reference="https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html",
    parse=parse,
    labels=("account", "budget", "measured", "budget_type", "threshold"),
    recognise=recognise,
    resolves=False,
    repeats_within_seconds=24 * 3600,
    examples=(
        Example(
            "a budget is spent",
            _notification(_ACTUAL),
            (
                {
                    "title": "Budget shop-monthly is past its threshold",
                    "status": "firing",
                    "severity": None,
                    "identity": _IDENTITY,
                    "occurred_at": "2026-01-15T10:00:05.125000Z",
                    "summary": "Budgeted Amount $1,000.00, Alert Threshold > $800.00, ACTUAL Amount $1,012.44",
                    "labels": {"measured": "ACTUAL", "budget_type": "Cost", "threshold": "> $800.00"},
                },
            ),
        ),
        Example(
            "it will be, by the forecast, with the line ends of other systems",
            _notification(_ACTUAL.replace("ACTUAL", "FORECASTED").replace("\n", "\r\n")),
            (
                {
                    "title": "Budget shop-monthly is forecast to pass its threshold",
                    "identity": {**_IDENTITY, "measured": "FORECASTED"},
                    "labels": {"threshold": "> $800.00"},
                },
            ),
        ),
        Example(
            "little but its name, which holds a colon",
            _notification("AWS tells you:\n  Budget Name: team: storefront  "),
            (
                {
                    "title": "Budget team: storefront is past its threshold",
                    "identity": {"account": "111122223333", "budget": "team: storefront", "measured": ""},
                    "summary": "",
                },
            ),
        ),
    ),
)

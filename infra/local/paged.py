"""Who was woken for an incident, as the stand-in receivers have it: PagerDuty, else the signed webhook, else SNS."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from infra.local.received import Record
from infra.local.receivers import Receivers


@dataclass(frozen=True, slots=True)
class Page:
    """One page that a receiver took; `text` is all of it."""

    at: datetime
    via: str
    to: str
    title: str
    text: str


def pages(receivers: Receivers, incident: str) -> list[Page]:
    """Every page of the incident that a receiver accepted, oldest first."""
    found = [
        *_by_pagerduty(receivers.records("pagerduty"), incident),
        *_by_webhook(receivers.records("webhook"), incident),
        *_by_sns(receivers.records("sns"), incident),
    ]
    return sorted(found, key=lambda page: page.at)


def told(receivers: Receivers, incident: str) -> str:
    """Everything that people were told of the incident by whichever channel, pages and all else."""
    records = [record for channel in ("pagerduty", "webhook", "sns") for record in receivers.records(channel)]
    return "\n".join(json.dumps(record["body"], ensure_ascii=False) for record in records if incident in str(record))


def _by_pagerduty(records: list[Record], incident: str) -> Iterator[Page]:
    for record in records:
        mine = str(record.get("dedup_key") or "").partition(".")[0] == incident
        if mine and record["accepted"] and record["event_action"] == "trigger":
            details = record["body"]["payload"]["custom_details"]
            yield _page(record, "PagerDuty", str(details.get("to", "")), str(record["summary"]))


def _by_webhook(records: list[Record], incident: str) -> Iterator[Page]:
    for record in records:
        mine = record["accepted"] and not record.get("duplicate") and record["body"].get("incident") == incident
        if mine and record["type"] == "incident.trigger":
            body = record["body"]
            yield _page(record, "the webhook", ", ".join(body.get("to", ())), str(body.get("title", "")))


def _by_sns(records: list[Record], incident: str) -> Iterator[Page]:
    """Only what asks for an acknowledgement is a page; SNS carries the rest as well."""
    for record in records:
        if record.get("type") == "Notification" and f"incidentbot ack {incident}" in str(record.get("message")):
            yield _page(record, "SNS", "", str(record.get("subject") or ""))


def _page(record: Record, via: str, to: str, title: str) -> Page:
    text = json.dumps(record["body"], ensure_ascii=False)
    return Page(datetime.fromisoformat(record["received_at"]), via, to, title, text)

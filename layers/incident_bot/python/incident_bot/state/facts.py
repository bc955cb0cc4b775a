"""What enrichment found out about an incident: one item, a record for each provider, with its source and its age."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from incident_bot.domain.clock import instant
from incident_bot.domain.shape import dump, load
from incident_bot.state import keys
from incident_bot.world import Put, Store, Write


@dataclass(frozen=True, slots=True)
class Record:
    """One finding, or why there is none: `failure` says so. `as_of` is when the value was true, RFC 3339."""

    name: str
    source: str
    gathered_at: datetime
    ttl_seconds: int
    text: str = ""
    value: Any = None
    as_of: str = ""
    failure: str = ""

    def fresh(self, now: datetime) -> bool:
        """Whether it need not be gathered again; a failure never is fresh."""
        return not self.failure and now < self.gathered_at + timedelta(seconds=self.ttl_seconds)

    def aged(self, now: datetime) -> str:
        """The text with how old it is, for people."""
        seconds = max(0, round((now - (instant(self.as_of) if self.as_of else self.gathered_at)).total_seconds()))
        age = f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
        return f"{self.text} ({self.source}, {age} old)"


def of(store: Store, incident: str) -> dict[str, Record]:
    """What is known, by provider."""
    item = store.get(keys.facts(incident)) or {}
    return {name: load(Record, record) for name, record in item.get("facts", {}).items()}


def texts(store: Store, incident: str, now: datetime) -> dict[str, str]:
    """What was found out, as text with its source and age, by provider; failures are left out."""
    return {name: record.aged(now) for name, record in of(store, incident).items() if record.text}


def writing(incident: str, records: Mapping[str, Record]) -> Write:
    """The write that keeps these records as all that is known."""
    pk, sk = keys.facts(incident)
    return Put({"PK": pk, "SK": sk, "facts": {name: dump(record) for name, record in records.items()}})

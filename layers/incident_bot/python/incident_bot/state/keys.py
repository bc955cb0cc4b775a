"""The keys of every item, and the attributes that put an item into the sparse `due` and `opened` indexes."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from incident_bot.domain.clock import rfc3339
from incident_bot.world import Key

SHARDS = 4
NAME_BYTES = 1000
KILL: Key = ("CONTROL", "KILL")
SILENCES: Key = ("CONTROL", "SILENCES")
LEDGER = "LEDGER"
DEPLOYS = "DEPLOYS"


def head(scope: str) -> Key:
    """The scope's head: which groups belong to which incident."""
    return f"SCOPE#{scope}", "HEAD"


def alert(scope: str, fingerprint: str) -> Key:
    """One series."""
    return f"SCOPE#{scope}", f"ALERT#{fingerprint}"


def inhibiting(scope: str) -> Key:
    """The alerts of the scope that hide others while they fire."""
    return f"SCOPE#{scope}", "INHIBITING"


def meta(incident: str) -> Key:
    """The incident itself."""
    return f"INC#{incident}", "META"


def box(incident: str) -> Key:
    """The incident's mailbox."""
    return f"INC#{incident}", "BOX"


def facts(incident: str) -> Key:
    """What enrichment found."""
    return f"INC#{incident}", "FACTS"


def postmortem(incident: str) -> Key:
    """The postmortem draft."""
    return f"INC#{incident}", "POSTMORTEM"


def intent(incident: str, name: str) -> Key:
    """One intended message to people."""
    return f"INC#{incident}", f"INTENT#{name}"


def incident_of(identifier: str) -> str:
    """The incident inside an action's (`ID-a1`) or approval's (`ID-p1`) id; the id itself where it has no such part."""
    return identifier.rsplit("-", 1)[0] if "-" in identifier else identifier


def action(identifier: str) -> Key:
    """One remediation with its plan and journal."""
    return f"INC#{incident_of(identifier)}", f"ACTION#{identifier}"


def approval(identifier: str) -> Key:
    """One request for approval."""
    return f"INC#{incident_of(identifier)}", f"APPROVAL#{identifier}"


def lock(target: str) -> Key:
    """The lock of one resolved target."""
    return f"LOCK#{target}", "LOCK"


def log(incident: str, seq: int) -> Key:
    """One timeline entry."""
    return f"LOG#{incident}", f"{seq:08d}"


def mode(playbook: str) -> Key:
    """A playbook's earned mode."""
    return "CONTROL", f"MODE#{playbook}"


def budget(person: str, at: datetime) -> Key:
    """How often a person was paged in that hour (UTC)."""
    return f"BUDGET#person:{person}", f"{at.astimezone(UTC):%Y-%m-%dT%H}"


def label(incident: str) -> Key:
    """What people said of the incident."""
    return f"INC#{incident}", "LABEL"


def stat(subject: str) -> Key:
    """How often people said what of a fingerprint, of a kind of alert or rule (`kind:NAME`, `rule:NAME`), or of two
    services (`pair:NAME|NAME`), by the name's first bytes: DynamoDB takes 1,024 of a sort key."""
    of, _, name = subject.partition(":")
    name = name.encode(errors="replace")[:NAME_BYTES].decode(errors="ignore")
    return (f"STAT#{of}", name) if of in ("kind", "rule", "pair") else (f"STAT#{subject}", "STAT")


def storm(group: str) -> Key:
    """A team's pages of late, and the storm it is in."""
    return f"BUDGET#storm:{group}", "STORM"


def calmed(summary: str) -> Key:
    """The storm of a summary, once its team's pages are counted anew."""
    return f"INC#{summary}", "STORM"


def heartbeat(name: str) -> Key:
    """When a heartbeat was heard of last."""
    return f"HEARTBEAT#{name}", "HEARTBEAT"


def quarantine(day: str, delivery: str) -> Key:
    """One delivery (or a part of one) that could not be read."""
    return f"QUARANTINE#{day}", delivery


def deploys(service: str) -> Key:
    """The last deployments of a service."""
    return DEPLOYS, f"SERVICE#{service}"


def window(identifier: str) -> Key:
    """One window in the ledger: a silence, a maintenance, ..., once it was made or suppressed something."""
    return LEDGER, f"WINDOW#{identifier}"


def suppressed(window: str, scope: str, fingerprint: str) -> Key:
    """One series that a window suppressed."""
    return f"{LEDGER}#{window}", f"SERIES#{scope}#{fingerprint}"


def due(key: Key, at: datetime) -> dict[str, Any]:
    """The attributes by which `sweep` finds that item from `at` on."""
    shard = int(hashlib.sha256("|".join(key).encode()).hexdigest(), 16) % SHARDS
    return {"due": f"DUE#{shard}", "due_at": rfc3339(at)}


NOT_DUE = ("due", "due_at")

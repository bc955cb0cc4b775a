"""The fingerprint of an alert: which series it speaks of, in a versioned formula."""

import hashlib
import json
from collections.abc import Mapping

VERSION = "v1"
ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


def fingerprint(source: str, identity: Mapping[str, str | None]) -> str:
    """Return `v1:<32 hex>` of the source and its identity fields.

    Fields are delimited, keys sorted and missing values told apart from empty ones (JSON does all three), so that
    ("ab", "c") differs from ("a", "bc"). The version keeps a future formula from merging old series with new ones.
    """
    canonical = ENCODE([source, identity])
    return f"{VERSION}:{hashlib.sha256(canonical.encode()).hexdigest()[:32]}"

"""The answers of PagerDuty's Events API v2, for senders that believe they talk to it (`POST /v2/enqueue` and
`/v2/change/enqueue`)."""

import json
from collections.abc import Mapping
from typing import Any

from incident_bot.domain.errors import Unparseable
from incident_bot.ingest.webhook import Request, answer
from incident_bot.payload import decode
from incident_bot.sources.pagerduty import dedup_key

SENDERS_FAULT = (400, 401, 415)  # PagerDuty knows one answer to all of these
KEPT = ("retry-after", "allow")


def in_its_words(response: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """Our answer to an event as PagerDuty would give it: 202, 400, 429, or what asks for a repetition."""
    status, said = response["statusCode"], json.loads(response["body"])
    headers = {name: value for name, value in response["headers"].items() if name in KEPT}
    if status == 202 and request.source == "pagerduty_change":
        return answer(202, {"status": "success", "message": "Change event processed"})
    if status == 202:
        return answer(202, {"status": "success", "message": "Event processed", "dedup_key": _key(request)})
    errors = [rejection["reason"] for rejection in said.get("rejected", ())] or [said["detail"]]
    if status in SENDERS_FAULT:
        return answer(400, {**_refused(request), "errors": errors})
    name = "throttle exceeded" if status == 429 else "error"
    return answer(status, {"status": name, "message": said["detail"], "errors": errors}, headers)


def _refused(request: Request) -> dict[str, str]:
    try:
        decode(request.body or b"")
    except Unparseable:
        return {"status": "Unrecognized object", "message": "Event object format is unrecognized"}
    return {"status": "invalid event", "message": "Event object is invalid"}


def _key(request: Request) -> str:
    return dedup_key(decode(request.body or b""))

"""One webhook request as API Gateway's HTTP API (payload format 2.0) delivers it, and the answers to it."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

PROBLEMS: Mapping[int, tuple[str, str]] = {
    400: ("malformed", "Malformed"),
    401: ("unauthenticated", "Not authenticated"),
    403: ("not-listed", "Not listed"),
    404: ("unknown-source", "Unknown source"),
    405: ("method-not-allowed", "Method not allowed"),
    413: ("too-large", "Too large"),
    415: ("unsupported-media-type", "Unsupported media type"),
    429: ("too-many-requests", "Too many requests"),
    503: ("unavailable", "Temporarily unavailable"),
}
PATH = re.compile(r"/v1/webhooks/([^/]+)/?$")
HEARTBEAT = re.compile(r"/v1/heartbeats/([^/]+)/?$")
AS_PAGERDUTY = {"/v2/enqueue": "pagerduty", "/v2/change/enqueue": "pagerduty_change"}  # path -> source


@dataclass(frozen=True, slots=True)
class Request:
    """What was sent: the body raw, header names in lower case; `body` is None where its base64 is broken.

    A parameter of the query stands among the headers behind a question mark (`?token`), which no header's name holds.
    `heartbeat` is the one that pings, whose secret is its own; empty for every other delivery.
    """

    id: str
    method: str
    source: str
    headers: Mapping[str, str]
    body: bytes | None
    path: str = ""
    heartbeat: str = ""

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def request_of(event: Mapping[str, Any]) -> Request:
    """The request inside an event; whatever is missing is empty."""
    context = event.get("requestContext") or {}
    http = context.get("http") or {}
    path = event.get("rawPath") or http.get("path") or ""
    if beat := HEARTBEAT.search(path):
        return _heartbeat(event, str(context.get("requestId") or ""), str(http.get("method") or ""), beat.group(1))
    found = PATH.search(path)
    named = (event.get("pathParameters") or {}).get("source") or AS_PAGERDUTY.get(path)
    return Request(
        id=str(context.get("requestId") or ""),
        method=str(http.get("method") or "").upper(),
        source=str(named or (found.group(1) if found else "")),
        headers=_headers(event),
        body=_body(event),
        path=str(path),
    )


def _heartbeat(event: Mapping[str, Any], identifier: str, method: str, name: str) -> Request:
    """A ping: what it says is in its URL, so that a line of shell can send it; whatever its body holds is not read."""
    headers = _headers(event)
    said = {
        "heartbeat": unquote(name),
        **{key: headers[f"?{key}"] for key in ("status", "message") if f"?{key}" in headers},
    }
    return Request(
        identifier, method.upper(), "heartbeat", headers, json.dumps(said).encode(), heartbeat=said["heartbeat"]
    )


def answer(status: int, document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A JSON response."""
    return _response(status, document, {"content-type": "application/json", **(headers or {})})


def problem(
    status: int, detail: str, request: Request, *, headers: Mapping[str, str] | None = None, **members: Any
) -> dict[str, Any]:
    """A refusal as a problem document (RFC 9457); `instance` names this one request, as the access log does."""
    name, title = PROBLEMS[status]
    document = {
        "type": f"urn:incident-bot:problem:{name}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": f"urn:incident-bot:request:{request.id}",
        **members,
    }
    return _response(status, document, {"content-type": "application/problem+json", **(headers or {})})


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    sent, query = event.get("headers") or {}, event.get("queryStringParameters") or {}
    headers = {str(name).lower(): str(value) for name, value in sent.items()}
    return headers | {f"?{name}".lower(): str(value) for name, value in query.items()}


def _body(event: Mapping[str, Any]) -> bytes | None:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode(errors="surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return None


def _response(status: int, document: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    return {"statusCode": status, "headers": dict(headers), "body": json.dumps(document), "isBase64Encoded": False}

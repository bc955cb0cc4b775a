"""The HTTP client: signs for the operator API as AWS wants it, sends, and turns problem documents into our errors."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from incident_bot.cli.place import Place
from incident_bot.domain.errors import Denied, IncidentBotError, Invalid, NotFound, Refused, Unavailable

PATIENCE_SECONDS = 30.0


class Client:
    """One caller of one deployment's API."""

    def __init__(self, place: Place, transport: httpx.BaseTransport | None = None) -> None:
        self._place = place
        # A proxy knows nothing of this machine's own loopback.
        self._http = httpx.Client(transport=transport, timeout=PATIENCE_SECONDS, trust_env=not place.local)

    def get(self, *path: str, **query: str) -> Any:
        """The document at /v1/PATH."""
        return self._call("GET", path, query)

    def post(self, *path: str, body: Mapping[str, Any]) -> Any:
        """Post an order to /v1/PATH; the document that it answers."""
        return self._call("POST", path, {}, body)

    def deliver(self, source: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Any]:
        """Deliver to a webhook, unsigned by AWS, as its vendor would; the status and what it says.

        What `sign` calls `?name` goes into the query.
        """
        query = urlencode({name[1:]: value for name, value in headers.items() if name.startswith("?")})
        path = f"/v1/webhooks/{quote(source, safe='')}" + (f"?{query}" if query else "")
        sent = {name: value for name, value in headers.items() if not name.startswith("?")}
        answer = self._send("POST", path, body, {**sent, "Host": self._place.host})
        return answer.status_code, _decoded(answer)

    def _call(self, method: str, path: tuple[str, ...], query: Mapping[str, str], body: Any = None) -> Any:
        where = "/v1/" + "/".join(quote(part, safe="") for part in path)
        asked = urlencode({name: value for name, value in query.items() if value})
        content = b"" if body is None else json.dumps(body).encode()
        target = f"{where}?{asked}" if asked else where
        answer = self._send(method, target, content, self._signed(method, target, content))
        document = _decoded(answer)
        if answer.status_code >= 400:
            raise _error(answer.status_code, document)
        return document

    def _signed(self, method: str, target: str, content: bytes) -> dict[str, str]:
        headers = {"Host": self._place.host} | ({"Content-Type": "application/json"} if content else {})
        request = AWSRequest(method, f"https://{self._place.host}{target}", data=content, headers=headers)
        SigV4Auth(self._place.credentials, "execute-api", self._place.region).add_auth(request)
        return dict(request.headers.items())

    def _send(self, method: str, target: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        try:
            return self._http.request(method, f"{self._place.origin}{target}", content=content, headers=dict(headers))
        except httpx.HTTPError as error:
            raise Unavailable(f"{self._place.origin} does not answer ({type(error).__name__}: {error})") from error


def _decoded(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return {"detail": answer.text[:500]}


def _error(status: int, document: Any) -> IncidentBotError:
    said = document if isinstance(document, dict) else {}
    # API Gateway itself answers with `message` (or `Message`), before our function is asked.
    reason = str(said.get("detail") or said.get("message") or said.get("Message") or f"the API answered {status}")
    if status == 404:
        return NotFound(reason)
    if status == 400:
        return Invalid(reason)
    if status == 403 and "detail" not in said:
        return Denied(f"AWS does not let these credentials call the API: {reason}")
    if status in (403, 409, 410):
        return Refused(reason, rule=str(said.get("rule", "")), status=status)
    return Unavailable(f"{reason} ({status})")

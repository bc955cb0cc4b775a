"""How webhook senders prove who they are, as their vendors really offer it; pure, constant-time, two keys at most."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from incident_bot.domain.errors import Invalid, Unauthenticated


class Authentication(Protocol):
    """One way to authenticate a request over its raw body."""

    @property
    def challenge(self) -> str:
        """What a 401 names in WWW-Authenticate."""

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
        """Raise Unauthenticated unless the request carries proof of one of the secrets. Header names are lower case."""

    def sign(self, body: bytes, secret: str, now: datetime, message_id: str) -> dict[str, str]:
        """The headers a vendor would send with this body (used by `incidentbot send`)."""


class StandardWebhooks:
    """A signature over id, time and raw body as https://www.standardwebhooks.com defines it (symmetric, `v1`).

    The project's own library reads the clock itself; here time is an argument, so that a replay can run on its own.
    """

    challenge = "StandardWebhooks"
    tolerance_seconds = 300

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
        message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        signatures = headers.get("webhook-signature", "")
        if not (message_id and timestamp and signatures):
            raise Unauthenticated("webhook-id, webhook-timestamp and webhook-signature are needed")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
            raise Unauthenticated("webhook-timestamp is not a number of seconds")
        if abs(now.timestamp() - int(timestamp)) > self.tolerance_seconds:
            raise Unauthenticated(f"webhook-timestamp is more than {self.tolerance_seconds} s off")
        given = [signature.removeprefix("v1,") for signature in signatures.split(" ") if signature.startswith("v1,")]
        expected = [self._signature(secret, message_id, timestamp, body) for secret in secrets]
        if not _any_equal(given[:8], expected):
            raise Unauthenticated("webhook-signature does not match")

    def sign(self, body: bytes, secret: str, now: datetime, message_id: str) -> dict[str, str]:
        timestamp = str(int(now.timestamp()))
        return {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{self._signature(secret, message_id, timestamp, body)}",
        }

    @staticmethod
    def _signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
        encoded = secret.removeprefix("whsec_")
        try:
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not key:
            raise Invalid("the webhook secret is not base64 (whsec_...)")
        signed = f"{message_id}.{timestamp}.".encode(errors="replace") + body
        return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class BearerOrBasic:
    """A shared secret as bearer token or as password of basic authentication (any user): all Alertmanager can send."""

    challenge = 'Bearer, Basic realm="incident-bot"'

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002 - a bearer proves nothing about the body
        scheme, _, credential = headers.get("authorization", "").partition(" ")
        if not credential:
            raise Unauthenticated("an Authorization header (Bearer or Basic) is needed")
        if scheme.lower() not in ("bearer", "basic"):
            raise Unauthenticated("the Authorization header is neither Bearer nor Basic")
        given = credential.strip() if scheme.lower() == "bearer" else _password(credential)
        if not _any_equal([given], secrets):
            raise Unauthenticated("the Authorization header holds no valid secret")

    def sign(self, body: bytes, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002 - as above
        return {"content-type": "application/json", "authorization": f"Bearer {secret}"}


def _password(credential: str) -> str:
    try:
        return base64.b64decode(credential.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _any_equal(given: Sequence[str], expected: Sequence[str]) -> bool:
    """Whether any pair is equal, in a time that does not depend on which or how far; an empty secret equals nothing."""
    equal = False
    for one in given:
        for other in expected:
            equal |= bool(other) and hmac.compare_digest(one.encode(errors="replace"), other.encode())
    return equal

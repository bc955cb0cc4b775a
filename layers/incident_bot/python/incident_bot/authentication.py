"""How webhook senders prove who they are, as their vendors really offer it; pure, constant-time, two keys at most."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from incident_bot.domain.errors import Invalid, Unauthenticated

JSON = {"content-type": "application/json"}
TOLERANCE_SECONDS = 300
SIGNATURES = 8  # of one request that are compared: more than any sender sends while its keys rotate


class Authentication(Protocol):
    """One way to authenticate a request over its raw body."""

    @property
    def challenge(self) -> str:
        """What a 401 names in WWW-Authenticate."""

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> str | None:
        """Raise Unauthenticated unless the request carries proof of one of the secrets. Header names are lower case.

        Returns the service that this secret was given to, where secrets are given to services.
        """

    def sign(self, body: bytes, secret: str, now: datetime, message_id: str) -> dict[str, str]:
        """The headers a vendor would send with this body (used by `incidentbot send`); `?name` is one of the query."""


class StandardWebhooks:
    """A signature over id, time and raw body as https://www.standardwebhooks.com defines it (symmetric, `v1`).

    The project's own library reads the clock itself; here time is an argument, so that a replay can run on its own.
    """

    challenge = "StandardWebhooks"

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
        message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        signatures = headers.get("webhook-signature", "")
        if not (message_id and timestamp and signatures):
            raise Unauthenticated("webhook-id, webhook-timestamp and webhook-signature are needed")
        check_age("webhook-timestamp", timestamp, now)
        given = [signature.removeprefix("v1,") for signature in signatures.split(" ") if signature.startswith("v1,")]
        expected = [self._signature(secret, message_id, timestamp, body) for secret in secrets]
        if not any_equal(given[:SIGNATURES], expected):
            raise Unauthenticated("webhook-signature does not match")

    def sign(self, body: bytes, secret: str, now: datetime, message_id: str) -> dict[str, str]:
        timestamp = str(int(now.timestamp()))
        return {
            **JSON,
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
        if not any_equal([given], secrets):
            raise Unauthenticated("the Authorization header holds no valid secret")

    def sign(self, body: bytes, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002 - as above
        return {**JSON, "authorization": f"Bearer {secret}"}


@dataclass(frozen=True, slots=True)
class HeaderToken:
    """The shared secret itself in a header of its own, where the vendor sends one but signs nothing."""

    header: str

    @property
    def challenge(self) -> str:
        return f'Token header="{self.header}"'

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002 - a token proves nothing about the body
        given = headers.get(self.header.lower(), "")
        if not given:
            raise Unauthenticated(f"a header {self.header} is needed")
        if not any_equal([given.strip()], secrets):
            raise Unauthenticated(f"{self.header} holds no valid secret")

    def sign(self, body: bytes, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002 - as above
        return {**JSON, self.header.lower(): secret}


@dataclass(frozen=True, slots=True)
class QueryToken:
    """The shared secret as a parameter of the URL: for a vendor that lets you choose nothing else.

    Whoever may read the vendor's configuration or a proxy's log may read it, so it is the last resort.
    """

    parameter: str

    @property
    def challenge(self) -> str:
        return f'Token parameter="{self.parameter}"'

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002 - a token proves nothing about the body
        given = headers.get(f"?{self.parameter}", "")
        if not given:
            raise Unauthenticated(f"a parameter {self.parameter} is needed in the URL")
        if not any_equal([given], secrets):
            raise Unauthenticated(f"the URL's {self.parameter} is no valid secret")

    def sign(self, body: bytes, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002 - as above
        return {**JSON, f"?{self.parameter}": secret}


@dataclass(frozen=True, slots=True)
class HeaderSignature:
    """HMAC-SHA256 over the raw body in a header: in hex or base64, behind a prefix, several separated by commas.

    The secret's UTF-8 is the key. Where the sender also sends `timestamp_header` (seconds since 1970), it signs
    `<timestamp>:<body>`, and five minutes are the most that it may be off; without that header it signs the body alone.
    """

    header: str
    prefix: str = ""
    encoding: Literal["hex", "base64"] = "hex"
    timestamp_header: str = ""

    @property
    def challenge(self) -> str:
        return f'Signature header="{self.header}"'

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
        signatures = [one.strip() for one in headers.get(self.header.lower(), "").split(",")]
        given = [one.removeprefix(self.prefix) for one in signatures if one and one.startswith(self.prefix)]
        if not given:
            raise Unauthenticated(f"a signature is needed: {self.header}: {self.prefix}<{self.encoding}>")
        timestamp = headers.get(self.timestamp_header.lower(), "") if self.timestamp_header else ""
        if timestamp:
            check_age(self.timestamp_header, timestamp, now)
        expected = [self._signature(secret, timestamp, body) for secret in secrets if secret]
        if not any_equal(given[:SIGNATURES], expected):
            raise Unauthenticated(f"{self.header} does not match")

    def sign(self, body: bytes, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002 - it is not signed
        timestamp = str(int(now.timestamp())) if self.timestamp_header else ""
        signed = {self.header.lower(): f"{self.prefix}{self._signature(secret, timestamp, body)}"}
        return {**JSON, **signed, **({self.timestamp_header.lower(): timestamp} if timestamp else {})}

    def _signature(self, secret: str, timestamp: str, body: bytes) -> str:
        signed = f"{timestamp}:".encode() + body if timestamp else body
        digest = hmac.digest(secret.encode(), signed, hashlib.sha256)
        return digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode()


class AnyOf:
    """Any one of several ways that a vendor offers; the first is what we would choose, and what `sign` does."""

    def __init__(self, *ways: Authentication) -> None:
        self.ways = ways

    @property
    def challenge(self) -> str:
        return ", ".join(way.challenge for way in self.ways)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
        refusals = []
        for way in self.ways:
            try:
                way.verify(headers, body, secrets, now)
            except Unauthenticated as refusal:
                refusals.append(refusal.reason)
            else:
                return
        raise Unauthenticated("; ".join(refusals))

    def sign(self, body: bytes, secret: str, now: datetime, message_id: str) -> dict[str, str]:
        return self.ways[0].sign(body, secret, now, message_id)


def check_age(header: str, timestamp: str, now: datetime) -> None:
    """Raise Unauthenticated where a signed time (seconds since 1970) is no number, or more than five minutes off."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        raise Unauthenticated(f"{header} is not a number of seconds")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise Unauthenticated(f"{header} is more than {TOLERANCE_SECONDS} s off")


def _password(credential: str) -> str:
    try:
        return base64.b64decode(credential.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def any_equal(given: Sequence[str], expected: Sequence[str]) -> bool:
    """Whether any pair is equal, in a time that does not depend on which or how far; an empty secret equals nothing."""
    equal = False
    for one in given:
        for other in expected:
            equal |= bool(other) and hmac.compare_digest(one.encode(errors="replace"), other.encode())
    return equal

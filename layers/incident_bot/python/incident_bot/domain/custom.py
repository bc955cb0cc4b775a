"""An alert source as a team describes it in its configuration: which JMESPath expression finds what in a delivery."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Scheme(StrEnum):
    """How the sender proves who it is: `incident_bot.authentication` has one class of each."""

    BEARER_OR_BASIC = "bearer_or_basic"
    STANDARD_WEBHOOKS = "standard_webhooks"
    HEADER_TOKEN = "header_token"  # noqa: S105 - the name of a scheme
    HEADER_SIGNATURE = "header_signature"
    QUERY_TOKEN = "query_token"  # noqa: S105 - as above


class Encoding(StrEnum):
    """How a signature is written."""

    HEX = "hex"
    BASE64 = "base64"


class Body(StrEnum):
    """What a delivery is: JSON, or the fields of a form (its JSON is then read too)."""

    JSON = "json"
    FORM = "form"


class Clock(StrEnum):
    """How the sender writes a time; the numbers count from 1970, and may be text."""

    RFC3339 = "rfc3339"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"


@dataclass(frozen=True, slots=True)
class Proof:
    """One way in; `header_*` need a header, `query_token` a parameter, and a signature says how it is written."""

    scheme: Scheme
    header: str = ""
    parameter: str = ""
    prefix: str = ""
    encoding: Encoding = Encoding.HEX
    timestamp_header: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """An expression and what its values mean; `*` is any other value. Without `means` they mean themselves."""

    value: str
    means: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """An expression that finds a time, and how it is written."""

    value: str
    format: Clock = Clock.RFC3339


@dataclass(frozen=True, slots=True)
class Custom:
    """One described source. Every string but the first two, and every value of a mapping, is a JMESPath expression.

    `alerts` finds the alert or the list of them in a delivery; the other expressions see one alert, whose whole
    delivery has the name `delivery` where that is not all there is. A delivery that `ignore` is true of holds none.
    A name `*` in a mapping is an object that is spread out there, and its keys take the place of the star.
    `resolves`, `repeats_within_seconds` and `slow_seconds` are what `sources.Source` says of them.
    """

    name: str
    reference: str  # the public document that defines the format
    authentication: tuple[Proof, ...]  # any one of them
    title: str
    status: Choice
    identity: Mapping[str, str]
    body: Body = Body.JSON
    alerts: str = "@"
    ignore: str = ""
    severity: Choice | None = None
    service: str = ""
    resource: str = ""
    summary: str = ""
    started_at: Moment | None = None
    occurred_at: Moment | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    resolves: bool = True
    repeats_within_seconds: int = 0
    slow_seconds: int = 0

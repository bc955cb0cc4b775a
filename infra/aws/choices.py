"""What whoever deploys may choose by CDK context, read once and refused where it is none of the choices."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from constructs import Node

from incident_bot.domain.errors import Invalid
from infra.layer import ROOT, TARGETS, Target

API_ID = "{api}"  # stands for the API's id inside `api_url`


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Every choice, at its default.

    `api_url` is where the bot's own API is reached when not at the address that API Gateway gives it: a custom domain,
    or the emulator's path, `{api}` standing for the API's id. `endpoints` maps a channel to the base URL that replaces
    its provider's.
    """

    stack: str = "IncidentBot"
    target: Target = "aws"
    config: Path = ROOT / "config"
    keep_data: bool = True
    email: str = ""
    reserve: bool = True
    endpoints: Mapping[str, str] | None = None
    api_url: str = ""

    @property
    def tls_only(self) -> bool:
        """Whether queues, topics and the archive refuse what comes without TLS; the emulator has none."""
        return self.target == "aws"


def read(node: Node) -> Choices:
    """The choices in the app's context; raises Invalid for a value that is none."""
    default = Choices()
    return Choices(
        stack=str(node.try_get_context("stack") or default.stack),
        target=_one_of(node, "target", {name: name for name in TARGETS}, default.target),
        config=ROOT / str(node.try_get_context("config") or default.config),
        keep_data=_one_of(node, "removal", {"retain": True, "destroy": False}, default.keep_data),
        email=str(node.try_get_context("email") or ""),
        reserve=_one_of(node, "reserve", {"true": True, "false": False}, default.reserve),
        endpoints=_endpoints(node.try_get_context("endpoints")),
        api_url=str(node.try_get_context("api_url") or ""),
    )


def _one_of(node: Node, name: str, values: Mapping[str, Any], default: Any) -> Any:
    given = node.try_get_context(name)
    if given is None:
        return default
    text = str(given).lower()
    if text not in values:
        raise Invalid(f"{given!r} is none of {', '.join(values)}", where=f"context {name}")
    return values[text]


def _endpoints(given: Any) -> Mapping[str, str]:
    try:
        endpoints = json.loads(given) if isinstance(given, str) else given or {}
    except ValueError as error:
        raise Invalid(f"is not JSON: {error}", where="context endpoints") from error
    if not isinstance(endpoints, dict) or not all(isinstance(url, str) for url in endpoints.values()):
        raise Invalid("is not an object of channel: base URL", where="context endpoints")
    return endpoints

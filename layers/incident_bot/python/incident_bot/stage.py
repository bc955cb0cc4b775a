"""The one place where a handler meets Lambda: its world, its log and what an HTTP caller sees when it fails."""

import json
import os
from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any

from aws_lambda_powertools import Logger

from incident_bot.domain.errors import IncidentBotError, Unavailable
from incident_bot.settings import TEAM, settings_from, team_from
from incident_bot.world import Handler, World

LambdaHandler = Callable[[Mapping[str, Any], Any], Any]
Builder = Callable[[], World]
CORRELATED = ("incident", "action", "approval", "generation", "purpose", "attempt")

logger = Logger(service="incident-bot")


@cache
def the_world() -> World:
    """The world over AWS, built once per cold start, at the first invocation."""
    from incident_bot.aws.world import aws_world  # noqa: PLC0415 - botocore is not for those who only import a handler

    settings = settings_from(os.environ)
    return aws_world(settings, team_from(TEAM.read_text(), settings))


def stage(function: Handler, build: Builder = the_world) -> LambdaHandler:
    """The Lambda handler of a stage. What fails is logged and raised: Step Functions and SQS try again, and tell."""

    @wraps(function)
    def handler(event: Mapping[str, Any], context: Any) -> Any:
        _correlate(function, event, context)
        try:
            return function(build(), event)
        except IncidentBotError as error:
            logger.exception(error.reason, error=type(error).__name__)
            raise
        except Exception:
            logger.exception("an unexpected failure")
            raise

    return handler


def http(function: Handler, build: Builder = the_world) -> LambdaHandler:
    """The Lambda handler of an HTTP function. It never raises: a caller gets a problem document, the log the cause."""
    raising = stage(function, build)

    @wraps(function)
    def handler(event: Mapping[str, Any], context: Any) -> Any:
        try:
            return raising(event, context)
        except Unavailable:
            return problem(503, "temporarily unavailable", "try again", {"retry-after": "5"})
        except Exception:  # noqa: BLE001 - logged by `raising`; an exception's text is not for the caller
            return problem(500, "internal error", "the cause is in the log under this request's id")

    return handler


def either(request: LambdaHandler, other: LambdaHandler) -> LambdaHandler:
    """The handler of a function that the HTTP API invokes, and services by themselves: nobody waits for theirs."""

    def handler(event: Mapping[str, Any], context: Any) -> Any:
        return (request if "http" in (event.get("requestContext") or {}) else other)(event, context)

    return handler


def problem(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An RFC 9457 problem document as an HTTP API's Lambda response."""
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return {
        "statusCode": status,
        "headers": {"content-type": "application/problem+json", **(headers or {})},
        "body": json.dumps(document),
    }


def _correlate(function: Handler, event: Mapping[str, Any], context: Any) -> None:
    """Put what an operator searches by on every log line: never the event itself, which is foreign text and secrets."""
    known = {name: event[name] for name in CORRELATED if name in event}
    deliveries = [record["messageId"] for record in event.get("Records", ()) if "messageId" in record]
    request = getattr(context, "aws_request_id", "")
    logger.clear_state()
    logger.append_keys(stage=getattr(function, "__name__", ""), request=request, **known)
    if deliveries:
        logger.append_keys(deliveries=deliveries)

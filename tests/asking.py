"""Requests to the operator API as API Gateway's HTTP API hands them to Lambda, from a caller that it has verified."""

import json
from collections.abc import Mapping
from typing import Any

from functions.ingest.operate import operate
from incident_bot.world import World

ADA = "arn:aws:iam::000000000000:user/ada"
GRACE = "arn:aws:iam::000000000000:user/grace"
STRANGER = "arn:aws:sts::000000000000:assumed-role/deployment/ada"


def an_event(
    method: str, path: str, body: Mapping[str, Any] | str | None = None, *, query: str = "", caller: str = ADA
) -> dict[str, Any]:
    """The event of payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": "ANY /v1/{proxy+}",
        "rawPath": path,
        "rawQueryString": query,
        "queryStringParameters": dict(pair.split("=") for pair in query.split("&") if pair),
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "authorizer": {"iam": {"userArn": caller}},
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1", "protocol": "HTTP/1.1"},
            "requestId": "request-1",
            "stage": "$default",
        },
        "body": body if isinstance(body, str) else json.dumps(body) if body is not None else None,
        "isBase64Encoded": False,
    }


def ask(
    world: World, method: str, path: str, body: Mapping[str, Any] | str | None = None, **how: str
) -> tuple[int, Any]:
    """The status and the decoded body of the answer."""
    answer = operate(world, an_event(method, path, body, **how))
    kind = answer["headers"].get("Content-Type", "") or answer.get("multiValueHeaders", {}).get("Content-Type", "")
    assert "json" in str(kind)
    return answer["statusCode"], json.loads(answer["body"])

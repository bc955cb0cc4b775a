"""Writes the operator API's OpenAPI document, which is made from the function that answers it.

python -m infra.openapi            write docs/openapi.json
"""

import json
from pathlib import Path
from typing import Any

from functions.ingest.operate import api
from incident_bot.operating.documents import Problem

DOCUMENT = Path(__file__).parents[1] / "docs" / "openapi.json"
PROBLEMS = (
    ("400", "Malformed", "The request is malformed."),
    ("403", "Forbidden", "The caller may not do this: no person of the team, the requester, or no approver."),
    ("404", "Unknown", "Nothing has that id."),
    ("409", "Conflict", "It is over, used, or not what it was when it was read."),
    ("410", "Expired", "It has expired."),
    ("502", "Denied", "AWS does not let the bot do it."),
    ("503", "Unavailable", "Temporarily unavailable; try again."),
)
READING = ("400", "404", "503")
SIGNED = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "description": "AWS Signature Version 4 for `execute-api`, by an identity that config/people.yaml knows.",
    "x-amazon-apigateway-authtype": "awsSigv4",
}


def described() -> dict[str, Any]:
    """The document: every operation signed, and answering its problems as RFC 9457 says."""
    document: dict[str, Any] = json.loads(
        api.get_openapi_json_schema(
            title="Incident Bot: the operator API",
            version="1",
            description="How people see incidents and act on them. The caller's verified ARN is the actor.",
        )
    )
    document["servers"] = [{"url": "https://{api}.execute-api.{region}.amazonaws.com", "variables": _VARIABLES}]
    document["security"] = [{"sigv4": []}]
    components = document["components"]
    components["securitySchemes"] = {"sigv4": SIGNED}
    components["schemas"]["Problem"] = Problem.model_json_schema()
    components["responses"] = {name: _problem(text) for _, name, text in PROBLEMS}
    for name in ("HTTPValidationError", "ResponseValidationError", "ValidationError"):
        components["schemas"].pop(name, None)  # ours are problem documents
    for operations in document["paths"].values():
        for method, operation in operations.items():
            operation["responses"] = {"200": operation["responses"]["200"], **_problems(method)}
    return document


_VARIABLES = {"api": {"default": "api-id"}, "region": {"default": "us-east-1"}}


def _problem(text: str) -> dict[str, Any]:
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": text, "content": {"application/problem+json": schema}}


def _problems(method: str) -> dict[str, Any]:
    """Only whoever orders something can be refused it."""
    return {
        status: {"$ref": f"#/components/responses/{name}"}
        for status, name, _ in PROBLEMS
        if method == "post" or status in READING
    }


def text() -> str:
    """The document as it is checked in."""
    return json.dumps(described(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(text())

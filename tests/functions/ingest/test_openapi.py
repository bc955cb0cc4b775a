"""The checked-in OpenAPI document is valid, current, and says of every operation that its caller is verified."""

import json

from openapi_spec_validator import validate

from infra import openapi


def test_the_document_is_what_the_function_answers_to() -> None:
    assert openapi.DOCUMENT.read_text() == openapi.text(), "run: python -m infra.openapi"


def test_the_document_is_valid_openapi() -> None:
    validate(json.loads(openapi.DOCUMENT.read_text()))


def test_nothing_is_open_to_callers_who_do_not_sign() -> None:
    document = json.loads(openapi.DOCUMENT.read_text())
    assert document["security"] == [{"sigv4": []}]
    assert not [path for path, operations in document["paths"].items() for o in operations.values() if "security" in o]

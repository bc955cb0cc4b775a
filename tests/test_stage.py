"""Where a handler meets Lambda: what does a caller, and what does the log, get to see?"""

import json
from collections.abc import Iterator, Mapping
from io import StringIO
from logging import StreamHandler
from types import SimpleNamespace
from typing import Any

import pytest

from incident_bot.domain.errors import Denied, Unavailable
from incident_bot.stage import http, logger, stage
from incident_bot.world import Handler, World
from tests.building import a_world

CONTEXT = SimpleNamespace(aws_request_id="request-1")


def failing(error: Exception) -> Handler:
    def receive(world: World, event: Mapping[str, Any]) -> Any:
        raise error

    return receive


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the logger writes meanwhile."""
    written = StringIO()
    handler = logger.registered_handler
    assert isinstance(handler, StreamHandler)
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


def lines(log: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_stage_hands_the_world_and_the_event_on() -> None:
    world = a_world()

    def triage(given: World, event: Mapping[str, Any]) -> Any:
        return given is world, event["incident"]

    assert stage(triage, lambda: world)({"incident": "inc1"}, CONTEXT) == (True, "inc1")


def test_the_world_is_not_built_before_the_first_invocation() -> None:
    stage(failing(ValueError()), lambda: pytest.fail("nobody invoked it"))


def test_a_failure_is_raised_and_logged_with_what_an_operator_searches_by(log: StringIO) -> None:
    handler = stage(failing(Denied("lambda:PutFunctionConcurrency is denied")), a_world)
    event = {"incident": "inc1", "generation": 2, "token": "a secret token"}
    with pytest.raises(Denied):
        handler(event, CONTEXT)
    (line,) = lines(log)
    assert (line["incident"], line["generation"], line["stage"], line["request"]) == ("inc1", 2, "receive", "request-1")
    assert (line["level"], line["message"], line["error"]) == (
        "ERROR",
        "lambda:PutFunctionConcurrency is denied",
        "Denied",
    )
    assert "a secret token" not in json.dumps(line)


def test_one_invocation_leaves_nothing_on_the_lines_of_the_next(log: StringIO) -> None:
    handler = stage(failing(Denied("no")), a_world)
    for event in ({"incident": "inc1"}, {"Records": [{"messageId": "m1", "body": "{}"}]}):
        with pytest.raises(Denied):
            handler(event, CONTEXT)
    first, second = lines(log)
    assert "deliveries" not in first
    assert second["deliveries"] == ["m1"]
    assert "incident" not in second


@pytest.mark.parametrize(("error", "status"), [(Unavailable("ssm"), 503), (ValueError("a key: k3y"), 500)])
def test_an_http_caller_gets_a_problem_and_not_its_cause(error: Exception, status: int) -> None:
    answer = http(failing(error), a_world)({}, CONTEXT)
    assert answer["statusCode"] == status
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert json.loads(answer["body"])["status"] == status
    assert str(error) not in answer["body"]


def test_an_http_function_answers_even_where_its_world_cannot_be_built() -> None:
    def broken() -> World:
        raise ValueError("INCIDENTBOT_TABLE is missing")

    assert http(failing(ValueError()), broken)({}, CONTEXT)["statusCode"] == 500

"""What does the store make of throttles, conflicts and denials?"""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import ANY, Stubber

from incident_bot.aws.store import ATTEMPTS, LONGEST_PAUSE, DynamoStore
from incident_bot.domain.errors import Conflict, Denied, IncidentBotError, Invalid, NotFound, Unavailable
from incident_bot.world import ABSENT, Check, Put, Update
from tests.aws.conftest import moto_client

KEY = ("INC#1", "META")
PUT = Put({"PK": "INC#1", "SK": "META"}, {"PK": ABSENT})
CHECK = Check(("SCOPE#s", "HEAD"), {"version": 3})


class Wire:
    """A store whose every answer is scripted; `pauses` are the waits between its attempts."""

    def __init__(self) -> None:
        client = moto_client("dynamodb")
        self.pauses: list[float] = []
        self.stubber = Stubber(client)
        self.stubber.activate()
        self.store = DynamoStore(lambda: client, "incidents", "timeline", pause=self.pauses.append, chance=lambda: 1.0)

    def fails(self, operation: str, code: str, *, times: int = 1, reasons: list[str] | None = None) -> "Wire":
        for _ in range(times):
            self.stubber.add_client_error(
                operation,
                service_error_code=code,
                modeled_fields={"CancellationReasons": [{"Code": reason} for reason in reasons]} if reasons else None,
            )
        return self

    def answers(self, operation: str, answer: dict[str, Any], expected: dict[str, Any] | None = None) -> "Wire":
        self.stubber.add_response(operation, answer, expected)
        return self

    def done(self) -> bool:
        self.stubber.assert_no_pending_responses()
        return True


@pytest.fixture
def wire(aws: None) -> Wire:
    return Wire()


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ProvisionedThroughputExceededException", "TransactionConflictException"]
)
def test_what_passes_is_tried_again_after_a_longer_and_longer_pause(wire: Wire, code: str) -> None:
    wire.fails("put_item", code, times=3).answers("put_item", {})
    wire.store.write([PUT])
    assert wire.done()
    assert wire.pauses == [0.02, 0.04, 0.08]


def test_what_never_passes_is_given_up(wire: Wire) -> None:
    wire.fails("update_item", "ThrottlingException", times=ATTEMPTS)
    with pytest.raises(Unavailable):
        wire.store.update(Update(KEY, add={"n": 1}))
    assert wire.done()
    assert len(wire.pauses) == ATTEMPTS - 1
    assert max(wire.pauses) <= LONGEST_PAUSE
    assert sum(wire.pauses) < 1.5


@pytest.mark.parametrize("reason", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_in_the_way_of_another_is_tried_again(wire: Wire, reason: str) -> None:
    wire.fails("transact_write_items", "TransactionCanceledException", reasons=["None", reason])
    wire.answers("transact_write_items", {})
    wire.store.write([PUT, CHECK])
    assert wire.done()


def test_all_attempts_of_a_transaction_are_one_to_dynamodb(wire: Wire) -> None:
    tokens: list[str] = []
    client = wire.store._connect()
    client.meta.events.register(
        "before-parameter-build.dynamodb.TransactWriteItems",
        lambda params, **_: tokens.append(params["ClientRequestToken"]),
    )
    wire.fails("transact_write_items", "TransactionInProgressException").answers("transact_write_items", {})
    wire.store.write([PUT, CHECK])
    assert len(tokens) == 2
    assert len(set(tokens)) == 1


def test_a_failed_condition_is_a_conflict_at_once_and_names_its_key(wire: Wire) -> None:
    reasons = ["TransactionConflict", "ConditionalCheckFailed"]
    wire.fails("transact_write_items", "TransactionCanceledException", reasons=reasons)
    with pytest.raises(Conflict) as conflict:
        wire.store.write([PUT, CHECK])
    assert conflict.value.failed == (CHECK.key,)
    assert wire.pauses == []


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AccessDeniedException", Denied),
        ("UnrecognizedClientException", Denied),
        ("ValidationException", Invalid),
        ("ResourceNotFoundException", NotFound),
        ("SomethingNew", Unavailable),
    ],
)
def test_what_does_not_pass_is_not_tried_again(wire: Wire, code: str, error: type[IncidentBotError]) -> None:
    wire.fails("get_item", code)
    with pytest.raises(error):
        wire.store.get(KEY)
    assert wire.pauses == []


def test_a_network_that_is_down_is_unavailable(aws: None) -> None:
    def connect() -> Any:
        raise EndpointConnectionError(endpoint_url="http://nowhere")

    with pytest.raises(Unavailable):
        DynamoStore(connect, "incidents", "timeline").get(KEY)


def an_image(sk: str) -> dict[str, Any]:
    return {"PK": {"S": "INC#1"}, "SK": {"S": sk}}


def test_keys_that_a_batch_left_unread_are_read_again(wire: Wire) -> None:
    left = {"incidents": {"Keys": [an_image("B")], "ConsistentRead": True}}
    first = {"incidents": {"Keys": [an_image("A"), an_image("B")], "ConsistentRead": True}}
    wire.answers(
        "batch_get_item",
        {"Responses": {"incidents": [an_image("A")]}, "UnprocessedKeys": left},
        {"RequestItems": first},
    )
    wire.answers("batch_get_item", {"Responses": {"incidents": [an_image("B")]}}, {"RequestItems": left})
    assert list(wire.store.get_many([("INC#1", "A"), ("INC#1", "B")])) == [("INC#1", "A"), ("INC#1", "B")]
    assert wire.done()


def test_keys_that_stay_unread_are_not_taken_for_missing(wire: Wire) -> None:
    left = {"incidents": {"Keys": [an_image("A")], "ConsistentRead": True}}
    for _ in range(ATTEMPTS):
        wire.answers("batch_get_item", {"Responses": {}, "UnprocessedKeys": left})
    with pytest.raises(Unavailable):
        wire.store.get_many([("INC#1", "A")])


def test_a_query_reads_all_its_pages(wire: Wire) -> None:
    more = {"Items": [an_image("A")], "LastEvaluatedKey": an_image("A")}
    wire.answers("query", more).answers("query", {"Items": [an_image("B")]})
    assert [found["SK"] for found in wire.store.query("INC#1")] == ["A", "B"]
    assert wire.done()


def test_reads_are_consistent_and_the_timeline_has_a_table_of_its_own(wire: Wire) -> None:
    key = {"PK": {"S": "LOG#1"}, "SK": {"S": "1"}}
    wire.answers("get_item", {}, {"TableName": "timeline", "Key": key, "ConsistentRead": True})
    wire.answers(
        "query",
        {"Items": []},
        {
            "TableName": "incidents",
            "KeyConditionExpression": ANY,
            "ExpressionAttributeValues": ANY,
            "ConsistentRead": True,
            "ScanIndexForward": True,
        },
    )
    wire.store.get(("LOG#1", "1"))
    wire.store.query("INC#1")
    assert wire.done()

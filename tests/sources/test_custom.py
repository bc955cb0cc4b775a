"""Whatever a description's expressions find in whatever is sent, is it an alert or a refusal that names the field?"""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ingest.receive import receive
from incident_bot.domain.clock import instant, rfc3339
from incident_bot.domain.custom import Body, Choice, Clock, Custom, Moment, Proof, Scheme
from incident_bot.domain.errors import Unparseable
from incident_bot.ingest.signals import sort_out
from incident_bot.payload import form
from incident_bot.sources import Parsed, _custom, read
from tests.building import a_team, a_world
from tests.sources.test_parsers_never_raise import documents

NOW = instant("2026-01-15T10:05:00Z")
PROBE = Custom(
    name="probe",
    reference="https://probe.example.com",
    authentication=(Proof(Scheme.QUERY_TOKEN, parameter="token"),),
    title="name",
    status=Choice("state", {"bad": "firing", "good": "resolved"}),
    identity={"check": "id"},
)
BAD: dict[str, Any] = {"name": "login", "state": "bad", "id": 7}


def parsed(document: dict[str, Any], **described: Any) -> Parsed:
    return read(_custom.source(replace(PROBE, **described)), document, NOW)


def rejected(document: dict[str, Any], **described: Any) -> tuple[str, str]:
    found = parsed(document, **described)
    assert found.alerts == ()
    (rejection,) = found.rejected
    return rejection.field, rejection.reason


expressions = st.sampled_from(
    [
        "@", "a", "a.b", "a[0]", "a[*]", "a[]", "*", "a || b", "!a", "keys(@)", "values(@)", "to_string(@)", "a[::-1]",
        "to_number(a)", "join(',', a)", "length(a)", "sort(a)", "max(a)", "avg(a)", "a[?b > `1`]", "{x: a, y: b}",
        "contains(a, 'x')", "merge(a, b)", "sort_by(a, &b)", "not_null(a, b)", "[a, b]", "map(&b, a)", "type(@)",
    ]
)  # fmt: skip
moments = st.none() | st.builds(Moment, expressions, st.sampled_from(Clock))
mappings = st.dictionaries(st.sampled_from(["x", "*", "x_*"]), expressions, min_size=1, max_size=2)
choices = st.builds(Choice, expressions, st.just({}) | st.just({"*": "firing"}) | st.just({"*": "sev1", "1": "x"}))
descriptions = st.builds(
    Custom,
    name=st.just("probe"),
    reference=st.just(""),
    authentication=st.just(PROBE.authentication),
    title=expressions,
    status=choices,
    identity=mappings,
    alerts=expressions,
    ignore=st.just("") | expressions,
    severity=st.none() | choices,
    service=expressions,
    resource=expressions,
    summary=expressions,
    started_at=moments,
    occurred_at=moments,
    labels=mappings,
    links=mappings,
)
bodies = st.dictionaries(st.sampled_from(["a", "b", "c"]), documents, max_size=3)


@given(descriptions, bodies)
def test_no_description_and_no_body_raise_anything_else(described: Custom, body: dict[str, Any]) -> None:
    before = json.dumps(body)
    found, fields = Parsed(()), ["alerts"]
    try:
        found = _custom.parse(described, body, NOW)
        fields = [rejection.field or rejection.reason for rejection in found.rejected]
    except Unparseable as refusal:
        fields = [refusal.field]
    assert all(fields)
    sort_out(found)
    assert json.dumps(body) == before, "the parser is pure"


@pytest.mark.parametrize(
    ("document", "described", "field"),
    [
        ({**BAD, "name": None}, {}, "title"),
        ({**BAD, "name": ["a"]}, {}, "title"),
        ({**BAD, "state": "odd"}, {}, "status"),
        ({"name": "x", "id": 7}, {}, "status"),
        ({**BAD, "id": None}, {}, "identity.check"),
        ({**BAD, "id": {"a": 1}}, {}, "identity.check"),
        ({**BAD, "id": "x" * 2049}, {}, "identity.check"),
        (BAD, {"identity": {"*": "tags"}}, "identity"),
        ({**BAD, "tags": {f"t{i}": 1 for i in range(65)}}, {"identity": {"*": "tags"}}, "identity"),
        (BAD, {"identity": {"check": "join(',', id)"}}, "identity.check"),
        (BAD, {"service": "@"}, "service"),
        (BAD, {"title": "abs(name)"}, "title"),
        ({**BAD, "at": "noon"}, {"occurred_at": Moment("at")}, "occurred_at"),
        ({**BAD, "at": "noon"}, {"occurred_at": Moment("at", Clock.SECONDS)}, "occurred_at"),
        ({**BAD, "at": 1e300}, {"started_at": Moment("at", Clock.MILLISECONDS)}, "started_at"),
        ({**BAD, "at": 1768471200}, {"started_at": Moment("at", Clock.MILLISECONDS)}, "started_at"),
    ],
)
def test_what_is_wrong_is_named_as_the_description_names_it(
    document: dict[str, Any], described: dict[str, Any], field: str
) -> None:
    assert rejected(document, **described)[0] == field


def test_a_reason_names_the_expression_too() -> None:
    assert rejected({**BAD, "state": "odd"})[1] == "status (state) is 'odd', which means nothing"


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (1768471200, Clock.SECONDS),
        ("1768471200000", Clock.MILLISECONDS),
        ("2026-01-15T11:00:00+01:00", Clock.RFC3339),
    ],
)
def test_a_time_is_read_as_it_is_written(at: Any, written: Clock) -> None:
    (alert,) = parsed({**BAD, "at": at}, started_at=Moment("at", written)).alerts

    assert rfc3339(alert.started_at) == rfc3339(alert.occurred_at) == "2026-01-15T10:00:00.000000Z"


def test_an_end_is_never_before_its_beginning() -> None:
    document = {**BAD, "state": "good", "from": 1768471200, "to": 1768471100}
    times = {"started_at": Moment("from", Clock.SECONDS), "occurred_at": Moment("to", Clock.SECONDS)}

    (alert,) = parsed(document, **times).alerts

    assert alert.occurred_at == alert.started_at


def test_each_alert_of_a_list_sees_its_delivery_and_costs_its_neighbours_nothing() -> None:
    found = parsed({"team": "orders", "all": [BAD, 7, {"state": "bad"}]}, alerts="all", service="delivery.team")

    assert [alert.service for alert in found.alerts] == ["orders"]
    assert [(rejection.index, rejection.field) for rejection in found.rejected] == [(1, ""), (2, "title")]


def test_nothing_that_is_ignored_or_empty_is_an_alert_and_its_sender_is_told() -> None:
    assert parsed({**BAD, "test": True}, ignore="test").notes
    assert parsed({"all": []}, alerts="all").notes
    assert parsed({**BAD, "test": []}, ignore="test").alerts
    with pytest.raises(Unparseable, match="alerts \\(all\\) finds nothing"):
        parsed(BAD, alerts="all")


def test_no_label_and_no_link_costs_an_alert() -> None:
    document = {
        **BAD,
        "tags": {"a": 1, "b": True, "c": [1], "d": "x" * 3000, "k" * 600: 1},
        "page": "javascript:alert(1)",
    }

    (alert,) = parsed(
        document, labels={"t_*": "tags", "sum": "sum(tags)"}, links={"x": "page", "y": "abs(page)"}
    ).alerts

    assert {name: text[:9] for name, text in alert.labels.items()} == {"t_a": "1", "t_b": "true", "t_d": "x" * 9}
    assert alert.links == {}


FORM = b"name=log%20in&state=bad&id=7"


def test_a_form_is_read_where_the_description_says_so() -> None:
    team = replace(a_team(), custom={"probe": replace(PROBE, body=Body.FORM)})
    event = {
        "rawPath": "/v1/webhooks/probe",
        "requestContext": {"requestId": "r", "http": {"method": "POST"}},
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "queryStringParameters": {"token": "the-secret"},
        "body": FORM.decode(),
    }
    world = a_world(team, secrets={"webhooks/probe": ("the-secret",)})

    assert receive(world, event)["statusCode"] == 202
    assert "log in" in world.queue.bodies[0]
    world = a_world(replace(team, custom={"probe": PROBE}), secrets={"webhooks/probe": ("the-secret",)})
    assert receive(world, event)["statusCode"] == 415


@pytest.mark.parametrize(
    "body", [b"", b"a=1&a=2", b"a=%ff", b"\xff", b"&".join([b"a=1"] * 1001), b"{broken", "a=\ud800"]
)
def test_what_is_no_form_is_refused(body: Any) -> None:
    with pytest.raises(Unparseable):
        form(body)


@given(st.binary(max_size=100) | st.text(max_size=100))
def test_a_form_is_an_object_of_strings_or_refused(body: Any) -> None:
    try:
        found = form(body)
    except Unparseable:
        return
    assert body[:1] in ("{", b"{") or all(isinstance(value, str) for value in found.values())

"""Does the stand-in Alertmanager notify when the real one would, with what the real one sends?"""

from datetime import UTC, datetime, timedelta

from infra.local.alertmanager import Group, delivered, due, evaluate, fingerprint, payload

T0 = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
A, B = "orders-cell-a", "orders-cell-b"
BAD, GOOD = {A: 22.0, B: 22.0}, {A: 0.3, B: 0.3}
HALF = {A: 0.3, B: 22.0}


def told(rates):
    """What is sent while each second one of `rates` is evaluated and every delivery is taken."""
    group, sent = Group(), []
    for second, rate in enumerate(rates):
        now = T0 + timedelta(seconds=second)
        group = evaluate(group, rate, now)
        reason = due(group, now)
        if reason:
            body = payload(group)
            sent.append((second, reason, body["status"], [alert["status"] for alert in body["alerts"]]))
            group = delivered(group, group, now)
    return sent


def test_one_bad_evaluation_is_not_an_alert():
    assert told([BAD, GOOD, BAD, GOOD, GOOD]) == []


def test_both_cells_fire_in_one_group_and_resolve_in_one():
    assert told([BAD] * 5 + [GOOD] * 3) == [
        (1, "new firing alerts", "firing", ["firing", "firing"]),
        (5, "alerts resolved", "resolved", ["resolved", "resolved"]),
    ]


def test_a_healed_canary_is_told_inside_a_firing_group():
    assert told([BAD] * 4 + [HALF] * 4 + [GOOD])[1:] == [
        (4, "alerts resolved", "firing", ["resolved", "firing"]),
        (8, "alerts resolved", "resolved", ["resolved"]),
    ]


def test_a_firing_group_is_sent_again_every_15_seconds():
    assert [(second, reason) for second, reason, *_ in told([BAD] * 33)] == [
        (1, "new firing alerts"),
        (16, "repeat interval"),
        (31, "repeat interval"),
    ]


def test_an_alert_that_fires_again_has_a_new_start():
    group = Group()
    for second, rate in enumerate([BAD, BAD, GOOD, BAD, BAD]):
        group = evaluate(group, rate, T0 + timedelta(seconds=second))
    assert group.alerts[A].starts_at == T0 + timedelta(seconds=4)


def test_what_was_not_taken_is_due_again():
    group = evaluate(evaluate(Group(), BAD, T0), BAD, T0)
    assert due(group, T0) == due(group, T0 + timedelta(seconds=9)) == "new firing alerts"


def test_a_resolve_during_a_delivery_is_told_afterwards():
    sent = evaluate(evaluate(Group(), BAD, T0), BAD, T0)
    meanwhile = evaluate(sent, GOOD, T0 + timedelta(seconds=1))
    group = delivered(meanwhile, sent, T0 + timedelta(seconds=1))
    assert due(group, T0 + timedelta(seconds=3)) == "alerts resolved"
    assert [alert["status"] for alert in payload(group)["alerts"]] == ["resolved", "resolved"]


def test_the_body_has_the_shape_of_version_4():
    body = payload(evaluate(evaluate(Group(), BAD, T0), BAD, T0))
    assert body["version"] == "4"
    assert body["groupKey"] == '{}:{alertname="OrdersHighErrorRate", service="orders"}'
    assert "cell" not in body["commonLabels"]
    assert body["commonLabels"]["service"] == "orders"
    alert = body["alerts"][0]
    assert (alert["startsAt"], alert["endsAt"]) == ("2026-11-24T12:00:00.000Z", "0001-01-01T00:00:00Z")
    assert alert["labels"]["cell"] == A
    assert len({alert["fingerprint"] for alert in body["alerts"]}) == 2


def test_a_fingerprint_is_fnv_1a_over_the_label_set():
    assert fingerprint({}) == "cbf29ce484222325"
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})
    assert fingerprint({"a": "1"}) != fingerprint({"a1": ""})

"""Do the stand-in receivers record what they get, misbehave when told, and show foreign text harmlessly?"""

import http.client
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from infra.local import receivers
from infra.local.received import Ledger
from infra.local.receiver_server import Keys, ReceiverServer
from infra.local.receivers import Receivers, ReceiversFailed
from infra.local.receivers_page import plain
from tests.infra.local.test_vendors import BODY, KEY, SECRET, an_event, signed

KEYS = Keys((KEY,), SECRET, 4599)


@pytest.fixture
def server(tmp_path):
    server = ReceiverServer(0, tmp_path, KEYS)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    for channel in server.channels.values():
        channel.healed.set()
    server.shutdown()
    server.server_close()
    thread.join()


def enqueue(server, event, **kwargs):
    return httpx.post(f"{server.url}/pagerduty/v2/enqueue", json=event, trust_env=False, **kwargs)


def test_what_was_received_is_listed_with_its_verdict(server):
    assert enqueue(server, an_event()).status_code == 202
    assert enqueue(server, an_event(routing_key="short")).status_code == 400
    seen = Receivers(server.url)
    good, bad = seen.records("pagerduty")
    assert (good["accepted"], good["dedup_key"], good["event_action"], good["routing_key"]) == (
        True,
        "inc-1",
        "trigger",
        KEY,
    )
    assert good["body"] == an_event()
    assert (bad["accepted"], bad["status"]) == (False, 400)
    assert [alert["state"] for alert in seen.records("pagerduty/alerts")] == ["triggered"]


def test_records_survive_a_restart_and_a_torn_last_line(server, tmp_path):
    enqueue(server, an_event())
    path = tmp_path / "pagerduty.jsonl"
    path.write_text(path.read_text() + '{"received_at": "20')
    again = Ledger(path)
    again.add({"accepted": True, "dedup_key": "inc-2"})
    assert [record["dedup_key"] for record in Ledger(path).all()] == ["inc-1", "inc-2"]


def test_secrets_are_not_recorded(server):
    httpx.post(f"{server.url}/webhook", content=BODY, headers=signed() | {"Authorization": "Bearer s"}, trust_env=False)
    (record,) = Receivers(server.url).records("webhook")
    assert record["accepted"]
    assert not {"authorization", "webhook-signature"} & record["headers"].keys()


def test_equal_webhooks_at_the_same_time_have_one_effect(server):
    def send(_):
        return httpx.post(f"{server.url}/webhook", content=BODY, headers=signed(), trust_env=False).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(8))) == {200}
    records = Receivers(server.url).records("webhook")
    assert sorted("duplicate" in record for record in records) == [False] + [True] * 7


@pytest.mark.parametrize(("mode", "status"), [("down", 503), ("reject", 400)])
def test_a_broken_channel_opens_no_alert_and_heals(server, mode, status):
    seen = Receivers(server.url)
    seen.order("pagerduty", mode)
    assert enqueue(server, an_event()).status_code == status
    assert seen.records("pagerduty/alerts") == []
    assert seen.records("pagerduty")[0]["reason"] == f"told to be {mode}"
    seen.order("pagerduty", "ok")
    assert enqueue(server, an_event()).status_code == 202


def test_a_fault_may_be_counted(server):
    Receivers(server.url).order("pagerduty", "down", times=2)
    assert [enqueue(server, an_event()).status_code for _ in range(3)] == [503, 503, 202]


def test_a_hanging_channel_takes_nothing_and_lets_go_when_it_heals(server):
    seen = Receivers(server.url)
    seen.order("pagerduty", "hang", seconds=60, times=1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(enqueue, server, an_event(), timeout=30)
        while server.channels["pagerduty"].fault.mode == "hang" and not waiting.done():
            time.sleep(0.01)
        assert not waiting.done()
        seen.order("pagerduty", "ok")
        assert waiting.result().status_code == 503
    assert enqueue(server, an_event(dedup_key="inc-2")).status_code == 202
    assert [alert["dedup_key"] for alert in seen.records("pagerduty/alerts")] == ["inc-2"]


def test_a_dripping_channel_took_the_event_before_its_answer_arrives(server):
    seen = Receivers(server.url)
    seen.order("pagerduty", "drip", seconds=60)
    with httpx.stream("POST", f"{server.url}/pagerduty/v2/enqueue", json=an_event(), trust_env=False) as answer:
        assert next(answer.iter_raw()) == b"{"
        assert [alert["state"] for alert in seen.records("pagerduty/alerts")] == ["triggered"]


@pytest.mark.parametrize(
    "order",
    [b"", b"[]", b'{"mode": "explode"}', b'{"mode": "hang", "seconds": 1e9}', b'{"mode": "down", "times": "x"}'],
)
def test_a_senseless_order_is_refused(server, order):
    assert httpx.post(f"{server.url}/_control/pagerduty", content=order, trust_env=False).status_code == 400


def test_a_channel_can_be_emptied(server):
    enqueue(server, an_event())
    Receivers(server.url).forget("pagerduty")
    assert Receivers(server.url).records("pagerduty") == []


def test_the_page_shows_hostile_text_and_obeys_none_of_it(server):
    payload = {"summary": "<script>alert(1)</script>\u202eevil\x07", "source": "s", "severity": "info"}
    enqueue(server, an_event(payload=payload))
    answer = httpx.get(f"{server.url}/", trust_env=False)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202eevil\\u0007" in answer.text
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_lone_surrogates_and_endless_lines_are_shown_and_cut():
    assert plain("\ud800") == "\\ud800"
    assert len(plain("x" * 10_000)) < 1_000


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/etc/passwd", 404), ("POST", "/pager", 404), ("DELETE", "/x", 404)]
)
def test_unknown_paths(server, method, path, status):
    assert httpx.request(method, server.url + path, trust_env=False).status_code == status


def test_a_body_over_a_megabyte_is_refused_unread(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)
    connection.putrequest("POST", "/webhook")
    connection.putheader("Content-Length", "9999999")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_the_process_is_started_once_and_again_when_its_keys_change(tmp_path, unused_port):
    def start(routing_key):
        keys = [routing_key]
        found = receivers.start(unused_port, tmp_path, routing_keys=keys, webhook_secret=SECRET, emulator_port=4599)
        return found, (tmp_path / "run" / "receivers.pid").read_text()

    _, first = start(KEY)
    try:
        _, again = start(KEY)
        found, other = start("f" * 32)
        assert first == again != other
        assert httpx.post(f"{found.url}/pagerduty/v2/enqueue", json=an_event(), trust_env=False).status_code == 400
    finally:
        assert receivers.stop(tmp_path)
    assert not receivers.stop(tmp_path)
    assert [record["accepted"] for record in Ledger(tmp_path / "receivers" / "pagerduty.jsonl").all()] == [False]


def test_a_taken_port_is_reported_with_the_process_last_words(server, tmp_path):
    port = server.server_address[1]
    with pytest.raises(ReceiversFailed, match="Address already in use"):
        receivers.start(port, tmp_path / "other", routing_keys=[KEY], webhook_secret=SECRET, emulator_port=4599)


@pytest.fixture
def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

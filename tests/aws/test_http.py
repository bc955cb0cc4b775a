"""Does an outbound request end in time, whatever the peer does?"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from incident_bot.aws.http import LONGEST_BODY, HttpxClient
from incident_bot.domain.errors import Unavailable
from incident_bot.world import Response

Peer = Callable[[socket.socket, threading.Event], None]
OK = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def a_peer(behave: Peer) -> Iterator[tuple[str, list[bytes]]]:
    """A server on loopback that reads one request and then behaves; yields its URL and what it received."""
    received: list[bytes] = []
    over = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(10)

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.settimeout(10)
            received.append(_request(connection))
            try:
                behave(connection, over)
            except OSError:
                return  # the client hung up, as it should

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/path?token=secret", received
    finally:
        over.set()
        thread.join(10)
        server.close()


def _request(connection: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"body"):
        data += connection.recv(65536)
    return data


def post(url: str, seconds: float = 5) -> Response:
    return HttpxClient().post(url, headers={"x-key": "k"}, body=b"the body", timeout_seconds=seconds)


def test_an_answer_comes_back_whole() -> None:
    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(OK.replace(b"200 OK", b"429 Slow down") + b"Retry-After: 3\r\nContent-Length: 2\r\n\r\n{}")

    with a_peer(answer) as (url, received):
        found = post(url)
    assert (found.status, found.body, found.headers["retry-after"]) == (429, b"{}", "3")
    assert received[0].startswith(b"POST /path?token=secret HTTP/1.1\r\n")
    assert b"x-key: k" in received[0]


def silent(connection: socket.socket, over: threading.Event) -> None:
    over.wait(10)


def dripping_headers(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(OK + b"X-Drip: ")
    _drip(connection, over)


def dripping_body(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(OK + b"Content-Length: 1000\r\n\r\n")
    _drip(connection, over)


def _drip(connection: socket.socket, over: threading.Event) -> None:
    while not over.wait(0.05):
        connection.sendall(b"x")


@pytest.mark.parametrize("behave", [silent, dripping_headers, dripping_body])
def test_a_peer_that_hangs_or_drips_costs_no_more_than_was_allowed(behave: Peer) -> None:
    with a_peer(behave) as (url, received), pytest.raises(Unavailable) as failure:
        post(url, 0.5)
    assert len(received) == 1
    assert "secret" not in failure.value.reason


def test_a_peer_that_is_not_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unavailable):
        post(f"http://127.0.0.1:{port}/")


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")

    with a_peer(answer) as (url, _):
        assert post(url).status == 302


def test_of_a_long_answer_no_more_than_is_needed_is_read() -> None:
    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(OK + b"Content-Length: 10000000\r\n\r\n" + b"x" * 200_000)
        over.wait(10)

    with a_peer(answer) as (url, _):
        assert post(url).body == b"x" * LONGEST_BODY

"""Outbound HTTP that ends in time: a peer that hangs, or drips a byte a second, costs no more than was allowed."""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from incident_bot.domain.errors import Unavailable
from incident_bot.world import Response

CONNECT_SECONDS = 2.0
LONGEST_BODY = 64 * 1024


class HttpxClient:
    """`Http` by httpx, imported at the first request. Redirects are not followed; of an answer 64 KiB are read."""

    def __init__(self) -> None:
        self._context: Any = None

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> Response:
        return self._asked("POST", url, dict(headers), body, timeout_seconds)

    def get(self, url: str, *, timeout_seconds: float) -> Response:
        return self._asked("GET", url, {}, b"", timeout_seconds)

    def _asked(self, method: str, url: str, headers: dict[str, str], body: bytes, timeout_seconds: float) -> Response:
        self._prepare()
        # httpx limits each read, never the whole: when the time is up the thread is left behind with its socket.
        answers: queue.SimpleQueue[Response | Exception] = queue.SimpleQueue()
        ask = partial(self._exchange, method, url, headers, body, timeout_seconds)
        threading.Thread(target=self._answer, args=(answers, ask), daemon=True, name="http").start()
        try:
            answer = answers.get(timeout=timeout_seconds)
        except queue.Empty:
            raise Unavailable(f"no whole answer from {_origin(url)} within {timeout_seconds} s") from None
        if isinstance(answer, Exception):
            raise Unavailable(f"{_origin(url)}: {str(answer) or type(answer).__name__}") from answer
        return answer

    def _prepare(self) -> None:
        """Import and load certificates before the time runs: it is the peer's time, not ours."""
        if self._context is None:
            import httpx  # noqa: PLC0415 - weighed: most invocations send nothing

            self._context = httpx.create_ssl_context()

    @staticmethod
    def _answer(answers: "queue.SimpleQueue[Response | Exception]", ask: Callable[[], Response]) -> None:
        try:
            answers.put(ask())
        except Exception as error:  # noqa: BLE001 - it is raised where somebody waits for it
            answers.put(error)

    def _exchange(self, method: str, url: str, headers: dict[str, str], body: bytes, seconds: float) -> Response:
        import httpx  # noqa: PLC0415 - imported before

        deadline = time.monotonic() + seconds
        limits = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
        with (
            httpx.Client(verify=self._context, timeout=limits, trust_env=False) as client,
            client.stream(method, url, headers=headers, content=body) as answer,
        ):
            received = b""
            for chunk in answer.iter_bytes():
                received += chunk
                if len(received) >= LONGEST_BODY or time.monotonic() > deadline:
                    break
            return Response(answer.status_code, received[:LONGEST_BODY], dict(answer.headers))


def _origin(url: str) -> str:
    """The URL without path and query, which may hold a secret."""
    return "/".join(url.split("/", 3)[:3])

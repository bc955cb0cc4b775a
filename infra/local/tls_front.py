"""The emulator behind a stand-in for the load balancer that ends TLS: a request counts as having come by TLS.

    <the emulator's python> -m hypercorn --bind 127.0.0.1:4599 infra.local.tls_front:app

The stack's queues, topics and archive deny whatever comes without TLS, the emulator enforces it, and clients on the
loopback have no certificate to trust. So the template stays the one that goes to AWS.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ministack.app import app as emulator  # type: ignore[import-not-found]  # in the emulator's own environment

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

CAME_BY = (b"x-forwarded-proto", b"https")


async def app(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[..., Awaitable[None]]
) -> None:
    """Serve one connection of ASGI."""
    if scope["type"] == "http":
        others = [header for header in scope["headers"] if header[0].lower() != CAME_BY[0]]
        scope = {**scope, "headers": [*others, CAME_BY]}
    await emulator(scope, receive, send)

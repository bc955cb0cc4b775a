"""Stand-ins on the loopback for what the bot calls: they verify requests as the vendor would, and show what they got.

    python -m infra.local.receivers --port 4600 --state .local

`GET /` is a page, `GET /<channel>` the records as JSON, `GET /pagerduty/alerts` the alerts they lead to,
`POST /_control/<channel>` breaks a channel on purpose, `DELETE /<channel>` forgets.
"""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from infra.local.background import STATE, Background
from infra.local.received import Record
from infra.local.receiver_server import Keys, ReceiverServer

START_SECONDS = 15.0


class ReceiversFailed(RuntimeError):
    """The stand-ins ended, or stayed silent, instead of answering."""


@dataclass(frozen=True, slots=True)
class Receivers:
    """The running stand-ins, as who started or found them sees them."""

    url: str
    state: Path = STATE

    def records(self, channel: str) -> list[Record]:
        """What the channel got so far, oldest first; `pagerduty/alerts` for PagerDuty's alerts."""
        return self._call("GET", channel).json()

    def order(self, channel: str, mode: str, *, seconds: float = 0.0, times: int | None = None) -> None:
        """Break or heal a channel: ok, down, hang, drip or reject."""
        self._call("POST", f"_control/{channel}", {"mode": mode, "seconds": seconds, "times": times})

    def forget(self, channel: str) -> None:
        """Empty the channel's records."""
        self._call("DELETE", channel)

    def subscribe(self, sns: Any, topic_arn: str, *, seconds: float = 5.0) -> str:
        """Subscribe to the topic with a boto3 SNS client and wait for the confirmation; the subscription's ARN."""
        endpoint = f"{self.url}/sns"
        sns.subscribe(TopicArn=topic_arn, Protocol="http", Endpoint=endpoint)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for found in sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]:
                if found["Endpoint"] == endpoint and found["SubscriptionArn"].startswith("arn:"):
                    return str(found["SubscriptionArn"])
            time.sleep(0.1)
        raise ReceiversFailed(f"{endpoint} was not confirmed for {topic_arn} within {seconds:g} s")

    def stop(self) -> bool:
        """Stop them; their records stay."""
        return stop(self.state)

    def _call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=5) as client:
            return client.request(method, f"{self.url}/{path}", json=body).raise_for_status()


def start(
    port: int, state: Path = STATE, *, routing_keys: Sequence[str], webhook_secret: str, emulator_port: int
) -> Receivers:
    """Start the stand-ins as a background process, or reuse the ones that run here with the same keys.

    Raises ReceiversFailed.
    """
    process = Background("receivers", state)
    keys = Keys(tuple(routing_keys), webhook_secret, emulator_port)
    receivers = Receivers(f"http://127.0.0.1:{port}", state)
    if process.running() and _serves(receivers, keys):
        return receivers
    process.stop()
    keys.save(state / "receivers" / "keys.json")
    command = [sys.executable, "-m", "infra.local.receivers", "--port", str(port), "--state", str(state.resolve())]
    process.start(command, {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"})
    deadline = time.monotonic() + START_SECONDS
    while not _serves(receivers, keys):
        if not process.running():
            raise ReceiversFailed(f"the receivers ended at once; their last words:\n{process.last_words()}")
        if time.monotonic() > deadline:
            process.stop()
            raise ReceiversFailed(f"the receivers did not answer within {START_SECONDS:g} s: see {process.log}")
        time.sleep(0.05)
    return receivers


def stop(state: Path = STATE) -> bool:
    """Stop the stand-ins of this state directory; False when none were running. Their records stay."""
    return Background("receivers", state).stop()


def _serves(receivers: Receivers, keys: Keys) -> bool:
    try:
        health = httpx.get(f"{receivers.url}/_health", trust_env=False, timeout=1).json()
    except (httpx.HTTPError, ValueError):
        return False
    return health == {"directory": str((receivers.state / "receivers").resolve()), "keys": keys.digest}


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C; the keys are read from `receivers/keys.json` in the state directory."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.receivers")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, default=STATE)
    options = parser.parse_args(arguments)
    directory = options.state / "receivers"
    server = ReceiverServer(options.port, directory, Keys.load(directory / "keys.json"))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        return
    finally:
        server.server_close()


if __name__ == "__main__":
    main()

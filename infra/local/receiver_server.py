"""The HTTP server behind the stand-in receivers: it judges, records and answers, and misbehaves when told to."""

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from infra.local.received import Ledger
from infra.local.receivers_page import page
from infra.local.vendors import Verdict, judge_pagerduty, judge_sns, judge_webhook, pagerduty_alerts

CHANNELS = ("pagerduty", "webhook", "sns")
ENTRANCES = {"/pagerduty/v2/enqueue": "pagerduty", "/webhook": "webhook", "/sns": "sns"}
MODES = ("ok", "down", "hang", "drip", "reject")
REFUSALS = {"pagerduty": 400, "webhook": 401, "sns": 403}
SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie", "webhook-signature", "x-amz-security-token")
BODY_LIMIT_BYTES = 1024 * 1024
LONGEST_FAULT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Keys:
    """What the stand-ins know of the bot: PagerDuty's integration keys, the webhook's secret, the emulator's port."""

    routing_keys: tuple[str, ...]
    webhook_secret: str
    emulator_port: int

    @staticmethod
    def load(path: Path) -> "Keys":
        data = json.loads(path.read_text())
        return Keys(tuple(data["routing_keys"]), data["webhook_secret"], int(data["emulator_port"]))

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)))

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Fault:
    """How a channel misbehaves: the mode, how long one answer takes, and for how many requests (None: until told)."""

    mode: str = "ok"
    seconds: float = 0.0
    times: int | None = None


@dataclass
class Channel:
    """One channel: its ledger, its fault, and the lock that makes judging and recording one step."""

    name: str
    ledger: Ledger
    fault: Fault = field(default_factory=Fault)
    lock: threading.Lock = field(default_factory=threading.Lock)
    healed: threading.Event = field(default_factory=threading.Event)

    def break_with(self, fault: Fault) -> None:
        """Change the mode; whoever hangs in the old one is let go."""
        with self.lock:
            self.healed.set()
            self.healed = threading.Event()
            self.fault = fault

    def next_fault(self) -> tuple[Fault, threading.Event]:
        """The fault for one request, counted down."""
        with self.lock:
            fault, healed = self.fault, self.healed
            if fault.times is not None:
                left = fault.times - 1
                self.fault = Fault(fault.mode, fault.seconds, left) if left > 0 else Fault()
            return fault, healed


class ReceiverServer(ThreadingHTTPServer):
    """The HTTP server with its channels; tests run it in-process on port 0."""

    daemon_threads = True

    def __init__(self, port: int, directory: Path, keys: Keys) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.keys = keys
        self.channels = {name: Channel(name, Ledger(directory / f"{name}.jsonl")) for name in CHANNELS}
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def judge(self, channel: str, headers: Mapping[str, str], body: bytes) -> Verdict:
        """What the vendor behind the channel says to this request."""
        if channel == "pagerduty":
            return judge_pagerduty(body, self.keys.routing_keys)
        if channel == "webhook":
            return judge_webhook(headers, body, self.keys.webhook_secret, self.channels[channel].ledger.all())
        return judge_sns(headers, body, self.keys.emulator_port)

    def take(self, channel: str, headers: Mapping[str, str], body: bytes) -> Verdict:
        """Judge and record one request; the two are one step, so equal requests at the same time have one effect."""
        with self.channels[channel].lock:
            return self.record(channel, headers, body, self.judge(channel, headers, body))

    def record(self, channel: str, headers: Mapping[str, str], body: bytes, verdict: Verdict) -> Verdict:
        """Write down one request with what came of it; secrets among its headers are left out."""
        record = {
            "received_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "accepted": verdict.accepted,
            "status": verdict.status,
            "reason": verdict.reason,
            **verdict.fields,
            "body": _readable(body),
            "headers": {name: value for name, value in headers.items() if name not in SECRET_HEADERS},
        }
        self.channels[channel].ledger.add(record)
        return verdict


def _readable(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")


class _Handler(BaseHTTPRequestHandler):
    """Routes one request; everything that decides is elsewhere."""

    server: ReceiverServer
    timeout = 10
    server_version = "stand-in"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        channels = self.server.channels
        if path == "/":
            self._page()
        elif path == "/_health":
            self._answer(200, {"directory": str(self.server.directory.resolve()), "keys": self.server.keys.digest})
        elif path == "/_control":
            self._answer(200, {name: asdict(channel.fault) for name, channel in channels.items()})
        elif path == "/pagerduty/alerts":
            self._answer(200, [asdict(alert) for alert in pagerduty_alerts(channels["pagerduty"].ledger.all())])
        elif path.removeprefix("/") in channels:
            self._answer(200, channels[path.removeprefix("/")].ledger.all())
        else:
            self._answer(404, {"error": "no such page"})

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path in ENTRANCES:
            self._receive(ENTRANCES[self.path], body)
        elif self.path.startswith("/_control/"):
            self._control(self.path.removeprefix("/_control/"), body)
        else:
            self._answer(404, {"error": "no such entrance"})

    def do_DELETE(self) -> None:
        channel = self.server.channels.get(self.path.removeprefix("/"))
        if channel is None:
            self._answer(404, {"error": "no such channel"})
            return
        with channel.lock:
            self._answer(200, {"forgotten": channel.ledger.clear()})

    def _body(self) -> bytes | None:
        length = self.headers.get("content-length", "")
        if not length.isdigit():
            self._answer(411, {"error": "Content-Length is missing"})
        elif int(length) > BODY_LIMIT_BYTES:
            self._answer(413, {"error": f"the limit is {BODY_LIMIT_BYTES} bytes"})
        else:
            return self.rfile.read(int(length))
        return None

    def _receive(self, name: str, body: bytes) -> None:
        server = self.server
        fault, healed = server.channels[name].next_fault()
        headers = {key.lower(): value for key, value in self.headers.items()}
        if fault.mode in ("ok", "drip"):
            verdict = server.take(name, headers, body)
            if verdict.follow and not _confirmed(verdict.follow):
                self._answer(502, {"error": "the confirmation was not accepted"})
            elif fault.mode == "drip":
                self._drip(verdict, fault.seconds, healed)
            else:
                self._answer(verdict.status, verdict.answer)
            return
        if fault.mode == "hang":
            healed.wait(fault.seconds)
        status = REFUSALS[name] if fault.mode == "reject" else 503
        reason = f"told to be {fault.mode}" + (f" for {fault.seconds:g} s" if fault.mode == "hang" else "")
        seen = server.judge(name, headers, body)
        answer = {"status": "invalid event", "message": reason, "errors": [reason]}
        server.record(name, headers, body, Verdict(status, answer, reason, seen.fields))
        self._answer(status, answer)

    def _control(self, name: str, body: bytes) -> None:
        try:
            order = json.loads(body)
            times = order.get("times")
            fault = Fault(order["mode"], float(order.get("seconds", 0)), None if times is None else int(times))
        except (ValueError, KeyError, TypeError, AttributeError):
            self._answer(400, {"error": 'expected {"mode": ..., "seconds": n, "times": n}'})
            return
        known = name in self.server.channels and fault.mode in MODES
        if not known or not 0 <= fault.seconds <= LONGEST_FAULT_SECONDS:
            self._answer(400, {"error": f"channels {CHANNELS}, modes {MODES}, at most {LONGEST_FAULT_SECONDS:g} s"})
            return
        self.server.channels[name].break_with(fault)
        self._answer(200, asdict(fault))

    def _page(self) -> None:
        records = {name: channel.ledger.all() for name, channel in self.server.channels.items()}
        modes = {name: channel.fault.mode for name, channel in self.server.channels.items()}
        text = page(records, pagerduty_alerts(records["pagerduty"]), modes)
        self._send(200, "text/html; charset=utf-8", text.encode(errors="replace"))

    def _answer(self, status: int, value: Any) -> None:
        self._send(status, "application/json", json.dumps(value).encode())

    def _drip(self, verdict: Verdict, seconds: float, healed: threading.Event) -> None:
        body = json.dumps(verdict.answer).encode()
        self._head(verdict.status, "application/json", len(body))
        for byte in body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            healed.wait(seconds / len(body))

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self._head(status, content_type, len(body))
        self.wfile.write(body)

    def _head(self, status: int, content_type: str, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length))
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # a caller that gave up waiting is what the hang and drip modes are for
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Quiet: the ledger is the log."""


def _confirmed(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=4).status_code == 200
    except httpx.HTTPError:
        return False

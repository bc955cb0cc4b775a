"""Runs the command line against the real operator API over a world in memory: only the network between them is ours."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner

from functions.ingest.operate import operate
from functions.ingest.receive import receive
from incident_bot.cli.main import app
from incident_bot.cli.session import Around
from incident_bot.virtual.world import VirtualWorld
from tests.asking import an_event
from tests.sources.every import SOURCES

HOST = "abc123.execute-api.localhost:4599"
TOPIC = "arn:aws:sns:us-east-1:000000000000:alarms"
QUEUE = "http://127.0.0.1:4599/000000000000/signals"
SECRETS = {
    name: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" if name == "generic" else f"token-of-{name}"
    for name, source in SOURCES.items()
    if source.authentication
}


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it wrote where."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


@dataclass
class Aws:
    """Records what is published and enqueued."""

    published: list[dict[str, str]] = field(default_factory=list)
    enqueued: list[dict[str, str]] = field(default_factory=list)

    def publish(self, **what: str) -> dict[str, str]:
        self.published.append(what)
        return {"MessageId": "m1"}

    def send_message(self, **what: str) -> dict[str, str]:
        self.enqueued.append(what)
        return {"MessageId": "q1"}


@dataclass
class Desk:
    """A terminal beside a running laptop target whose operators are ada and grace."""

    world: VirtualWorld
    folder: Path
    terminal: bool = False
    aws: Aws = field(default_factory=Aws)
    requests: list[httpx.Request] = field(default_factory=list)

    def run(self, *arguments: str | Path, answers: str = "", clients: Mapping[str, Any] | None = None) -> Ran:
        """Run `incidentbot ARGUMENTS`, typing `answers`; `clients` are AWS's, by service."""
        outputs = self.folder / "outputs.json"
        outputs.write_text(json.dumps(OUTPUTS))
        around = Around(
            outputs,
            transport=httpx.MockTransport(self._answer),
            now=self.world.now,
            asks=lambda: self.terminal,
            client=lambda service: (clients or {}).get(service, self.aws),
        )
        ran = CliRunner().invoke(app, [str(a) for a in arguments], input=answers, obj=around)
        if ran.exception and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return Ran(ran.exit_code, ran.stdout, ran.stderr)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        """API Gateway: it knows the caller by the access key, and hands the request to the function of its route."""
        self.requests.append(request)
        assert request.headers["host"] == HOST
        authorization = request.headers.get("authorization", "")
        handle: Callable[..., dict[str, Any]] = operate
        caller = next((arn for key, arn in CALLERS.items() if f"Credential={key}/" in authorization), "")
        path, query = request.url.path, request.url.query.decode()
        event = an_event(request.method, path, request.content.decode() or None, query=query, caller=caller)
        if path.startswith("/v1/webhooks/"):
            handle = receive
            event["headers"] = dict(request.headers)
        elif not caller:
            return httpx.Response(403, json={"message": "Forbidden"})
        answer = handle(self.world, event)
        return httpx.Response(int(answer["statusCode"]), content=answer["body"])


CALLERS = {
    "AKIAADA": "arn:aws:iam::000000000000:user/ada",
    "AKIAGRACE": "arn:aws:iam::000000000000:user/grace",
    "AKIAMALLORY": "arn:aws:iam::000000000000:user/mallory",
}
OUTPUTS = {
    "endpoint_url": "http://127.0.0.1:4599",
    "region": "us-east-1",
    "api_url": "http://127.0.0.1:4599",
    "api_host": HOST,
    "alarm_topic_arn": TOPIC,
    "signals_queue_url": QUEUE,
    "webhook_secrets": SECRETS,
    "operators": {
        name: {"access_key_id": f"AKIA{name.upper()}", "secret_access_key": f"secret-of-{name}"}
        for name in ("ada", "grace", "mallory")
    },
}


def lines(text: str) -> Sequence[str]:
    """The lines that say something."""
    return [line.strip() for line in text.splitlines() if line.strip()]

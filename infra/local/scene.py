"""What a story of the demo works with: its incident as the operator API shows it, the receivers, and time."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from incident_bot import plugins
from infra.local.laptop import Laptop
from infra.local.operators import Answer, Operator
from infra.local.telling import Narrator

LOOK_SECONDS = 0.7
OVER = ("resolved", "postmortem")

Shown = Mapping[str, Any]


class Stuck(RuntimeError):
    """What a story waits for did not happen in time."""


class Interrupted(RuntimeError):
    """Somebody pressed Ctrl-C."""


@dataclass
class Question:
    """An approval that somebody is asked for; the answer is set by whoever owns the terminal."""

    approval: Shown
    answered: threading.Event = field(default_factory=threading.Event)
    yes: bool = False


@dataclass
class Scene:
    """One story's view of the running target."""

    laptop: Laptop
    name: str
    tell: Narrator
    questions: list[Question]
    stop: threading.Event
    began: float = field(default_factory=time.monotonic)
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    seen: dict[str, int] = field(default_factory=dict)
    watched: Callable[[], Mapping[str, str]] = dict
    known: dict[str, str] = field(default_factory=dict)

    @property
    def elapsed(self) -> float:
        """Seconds since the story began."""
        return time.monotonic() - self.began

    @property
    def operator(self) -> Operator:
        """Who is on call here and acts for the story."""
        return self.laptop.operator("alice")

    def say(self, text: str, reason: str = "") -> None:
        """Tell what the world does; what the bot does, its timeline tells."""
        self.tell.line(self.name, self.elapsed, text, reason, "italic")

    # -- the bot -----------------------------------------------------------------------------------------------------

    def incident(self, service: str, title: str = "", seconds: float = 40.0) -> str:
        """Wait for the story's incident of that service; its id."""

        def found() -> str:
            for row in self._get("/v1/incidents?limit=50"):
                mine = row["service"] == service and title in row["title"]
                if mine and datetime.fromisoformat(row["opened_at"]) >= self.since:
                    return str(row["id"])
            return ""

        return self.wait(found, seconds, f"an incident of {service}")

    def follow(self, incident: str, until: Callable[[Shown], Any], seconds: float, what: str) -> Shown:
        """Tell the incident's timeline as it grows until `until` holds of what the API shows; raises Stuck."""

        def looked() -> Shown | None:
            shown = self.look(incident)
            return shown if until(shown) else None

        return self.wait(looked, seconds, what)

    def look(self, incident: str) -> Shown:
        """The incident now; what is new on its timeline is told."""
        shown: Shown = self._get(f"/v1/incidents/{incident}")
        first = self.seen.get(incident, 0)
        for entry in shown["timeline"][first:]:
            self.tell.entry(self.name, self.elapsed, entry)
        self.seen[incident] = len(shown["timeline"])
        self._tell_changes()
        return shown

    def watch(self, facts: Callable[[], Mapping[str, str]]) -> None:
        """From now on tell what changes of these facts, which AWS itself is asked for."""
        self.watched, self.known = facts, dict(facts())

    def _tell_changes(self) -> None:
        now = self.watched()
        for name, fact in now.items():
            if self.known.get(name) != fact:
                self.say(f"AWS says: {name} {fact}")
        self.known = dict(now)

    def decide(self, approval: Shown) -> bool:
        """Have a person look at the plan and decide; whether it was approved."""
        question = Question(approval)
        self.questions.append(question)
        self.wait(question.answered.is_set, 900, "an answer")
        word, reason = ("approve", "the plan is sound") if question.yes else ("reject", "said no at the prompt")
        body = {"decision": word, "reason": reason, "digest": approval["digest"]}
        answer = self.operator.post(f"/v1/approvals/{approval['id']}", body)
        if not answer.ok:
            self.say(f"the answer to {word} was {answer.status}", str(answer.body))
        return question.yes and answer.ok

    def wait(self, ready: Callable[[], Any], seconds: float, what: str) -> Any:
        """Poll until `ready` gives something; raises Stuck after `seconds`."""
        deadline = time.monotonic() + seconds
        while not self.stop.is_set():
            if found := ready():
                return found
            if time.monotonic() > deadline:
                raise Stuck(f"{what} did not come within {seconds:g} s")
            self.stop.wait(LOOK_SECONDS)
        raise Interrupted

    def _get(self, path: str) -> Any:
        answer: Answer = self.operator.get(path)
        if not answer.ok:
            raise Stuck(f"the operator API answered {answer.status} to GET {path}: {answer.body}")
        return answer.body

    # -- senders and receivers ---------------------------------------------------------------------------------------

    def send(self, source: str, document: Mapping[str, Any] | bytes) -> httpx.Response:
        """Deliver to the webhook as its vendor would."""
        outputs, authentication = self.laptop.outputs, plugins.source(source).authentication
        if authentication is None:
            raise Stuck(f"{source} takes no webhooks")
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        headers = authentication.sign(body, outputs.webhook_secrets[source], datetime.now(UTC), _message_id())
        url = f"{outputs.api_url}/v1/webhooks/{source}"
        headers["Host"] = outputs.api_host
        return httpx.post(url, content=body, headers=headers, timeout=30, trust_env=False)

    def pages(self, incident: str) -> list[Shown]:
        """What woke somebody for the incident: triggers that PagerDuty or, in its stead, the webhook or SNS took."""
        return pages(self.laptop, incident)


def pages(laptop: Laptop, incident: str) -> list[Shown]:
    """Every page of that incident which a receiver accepted."""
    return list(
        itertools.chain(_by_pagerduty(laptop, incident), _by_webhook(laptop, incident), _by_sns(laptop, incident))
    )


def _by_pagerduty(laptop: Laptop, incident: str) -> Iterator[Shown]:
    for record in laptop.receivers.records("pagerduty"):
        mine = str(record.get("dedup_key") or "").startswith(incident)
        if mine and record["accepted"] and record["event_action"] == "trigger":
            yield record


def _by_webhook(laptop: Laptop, incident: str) -> Iterator[Shown]:
    for record in laptop.receivers.records("webhook"):
        mine = record["accepted"] and not record.get("duplicate") and record["body"].get("incident") == incident
        if mine and record["type"] == "incident.trigger":
            yield record


def _by_sns(laptop: Laptop, incident: str) -> Iterator[Shown]:
    for record in laptop.receivers.records("sns"):
        if record.get("type") == "Notification" and incident in str(record.get("message")):
            yield record


def _message_id() -> str:
    return f"msg_{time.time_ns():x}"

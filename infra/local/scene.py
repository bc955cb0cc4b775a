"""What a story of the demo works with: its incident as the operator API shows it, the receivers, and time."""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from incident_bot import plugins
from infra.local.laptop import Laptop
from infra.local.operators import Answer, Operator
from infra.local.paged import Page, pages
from infra.local.telling import Narrator

LOOK_SECONDS = 0.7
IN_HAND = ("approved", "running")
CLAMP = "limit_lambda_concurrency"  # the stories' one temporary change
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


@dataclass(frozen=True)
class Stage:
    """What all stories share: the target, the voice, the questions to the person, the word to stop, the start."""

    laptop: Laptop
    tell: Narrator
    questions: list[Question] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass
class Scene:
    """One story's view of the running target; `hides` are kinds of timeline entries that it does not tell."""

    stage: Stage
    name: str
    hides: frozenset[str] = frozenset()
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    seen: dict[str, int] = field(default_factory=dict)  # incident -> timeline entries told
    woken: dict[str, int] = field(default_factory=dict)  # incident -> pages told
    watched: Callable[[], Mapping[str, str]] = dict
    known: dict[str, str] = field(default_factory=dict)
    observed: list[str] = field(default_factory=list)

    @property
    def laptop(self) -> Laptop:
        """The running target."""
        return self.stage.laptop

    @property
    def operator(self) -> Operator:
        """Who is on call here and acts for the story."""
        return self.laptop.operator("alice")

    def at(self, moment: datetime) -> float:
        """Seconds from the stories' start to that moment."""
        return (moment - self.stage.began).total_seconds()

    def say(self, text: str, reason: str = "") -> None:
        """Tell what the world does; what the bot does, its timeline tells."""
        self.stage.tell.line(self.name, self.at(datetime.now(UTC)), text, reason, "italic")

    # -- the bot -----------------------------------------------------------------------------------------------------

    def incident(self, service: str, title: str = "", seconds: float = 40.0) -> str:
        """Wait for the story's incident of that service; its id."""

        def found() -> str:
            for row in self._get("/v1/incidents?limit=50"):
                mine = row["service"] == service and title in row["title"]
                if mine and datetime.fromisoformat(row["opened_at"]) >= self.since:
                    return str(row["id"])
            return ""

        return str(self.wait(found, seconds, f"an incident of {service}"))

    def follow(self, incident: str, until: Callable[[Shown], Any], seconds: float, what: str) -> Shown:
        """Tell the incident's timeline as it grows until `until` holds of what the API shows; raises Stuck."""

        def looked() -> Shown | None:
            shown = self.look(incident)
            return shown if until(shown) else None

        found: Shown = self.wait(looked, seconds, what)
        return found

    def look(self, incident: str) -> Shown:
        """The incident now; what is new on its timeline, at the receivers and in AWS is told."""
        shown: Shown = self._get(f"/v1/incidents/{incident}")
        self._tell_news(incident, shown["timeline"])
        self._tell_changes()
        return shown

    def _tell_news(self, incident: str, timeline: Sequence[Shown]) -> None:
        """In the order in which it happened; a page is news when it reaches the person, the incident hears later."""
        entries, woken = timeline[self.seen.get(incident, 0) :], self.pages(incident)
        pages = [_as_entry(page) for page in woken[self.woken.get(incident, 0) :]]
        self.seen[incident], self.woken[incident] = len(timeline), len(woken)
        for entry in sorted([*entries, *pages], key=lambda entry: datetime.fromisoformat(entry["at"])):
            if entry["kind"] not in self.hides:
                self.stage.tell.entry(self.name, self.at(datetime.fromisoformat(entry["at"])), entry)

    def pages(self, incident: str) -> list[Page]:
        """What woke somebody for the incident."""
        return pages(self.laptop.receivers, incident)

    def watch(self, facts: Callable[[], Mapping[str, str]]) -> None:
        """From now on tell what changes of these facts, which AWS itself is asked for, and remember it."""
        self.watched, self.known = facts, dict(facts())

    def _tell_changes(self) -> None:
        now = self.watched()
        for name, fact in now.items():
            if self.known.get(name) != fact:
                self.say(f"AWS says: {name} {fact}")
                self.observed.append(f"{name} {fact}")
        self.known = dict(now)

    def acknowledge(self, incident: str, reason: str) -> None:
        """Have the person on call take the incident."""
        self._post(f"/v1/incidents/{incident}/acknowledge", {"reason": reason})

    def resolve(self, incident: str, reason: str) -> None:
        """Have a person say that it is over; the bot still asks the source."""
        self._post(f"/v1/incidents/{incident}/resolve", {"reason": reason})

    def ended(self, incident: str) -> None:
        """Wait, without telling, for the end of an incident; raises Stuck."""
        self.wait(lambda: self._get(f"/v1/incidents/{incident}")["state"] in OVER, 60, f"the end of {incident}")

    def is_open(self, incident: str) -> bool:
        """Whether it goes on still."""
        return self._get(f"/v1/incidents/{incident}")["state"] not in OVER

    def idle(self, incident: str) -> None:
        """Wait, without telling, until the bot changes nothing for it; raises Stuck."""
        self.wait(lambda: not self._actions(incident, *IN_HAND), 120, f"the end of what the bot does for {incident}")

    def lifted(self, incident: str) -> None:
        """Wait, without telling, until no temporary change of it is in force; raises Stuck."""
        in_force = ("applied", *IN_HAND)
        self.wait(lambda: CLAMP not in self._actions(incident, *in_force), 90, f"the lifting for {incident}")

    def _actions(self, incident: str, *states: str) -> list[str]:
        actions = self._get(f"/v1/incidents/{incident}")["actions"]
        return [action["action"] for action in actions if action["state"] in states]

    def decide(self, approval: Shown) -> bool:
        """Have a person look at the plan and decide; whether it was approved."""
        question = Question(self._get(f"/v1/approvals/{approval['id']}"))
        self.stage.questions.append(question)
        self.wait(question.answered.is_set, 900, "an answer")
        word, reason = ("approve", "the plan is sound") if question.yes else ("reject", "said no at the prompt")
        body = {"decision": word, "reason": reason, "digest": approval["digest"]}
        answer = self.operator.post(f"/v1/approvals/{approval['id']}", body)
        if not answer.ok:
            self.say(f"the answer to {word} was {answer.status}", str(answer.body))
        return question.yes and answer.ok

    def wait(self, ready: Callable[[], Any], seconds: float, what: str) -> Any:
        """Poll until `ready` gives something; raises Stuck after `seconds`, in which nobody was asked anything."""
        deadline = self.stage.tell.now() + seconds
        while not self.stage.stop.is_set():
            late = self.stage.tell.now() > deadline
            if found := ready():
                return found
            if late:
                raise Stuck(f"{what} did not come within {seconds:g} s")
            self.stage.stop.wait(LOOK_SECONDS)
        raise Interrupted

    def _get(self, path: str) -> Any:
        return self._answered(self.operator.get(path), f"GET {path}")

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._answered(self.operator.post(path, body), f"POST {path}")

    @staticmethod
    def _answered(answer: Answer, to: str) -> Any:
        if not answer.ok:
            raise Stuck(f"the operator API answered {answer.status} to {to}: {answer.body}")
        return answer.body

    # -- senders -----------------------------------------------------------------------------------------------------

    def send(self, source: str, document: Mapping[str, Any] | bytes) -> httpx.Response:
        """Deliver to the webhook as its vendor would."""
        outputs, authentication = self.laptop.outputs, plugins.source(source, self.laptop.team.custom).authentication
        if authentication is None:
            raise Stuck(f"{source} takes no webhooks")
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        secret, message_id = outputs.webhook_secrets[source], f"msg_{time.time_ns():x}"
        headers = authentication.sign(body, secret, datetime.now(UTC), message_id) | {"Host": outputs.api_host}
        url = f"{outputs.api_url}/v1/webhooks/{source}"
        return httpx.post(url, content=body, headers=headers, timeout=30, trust_env=False)


def _as_entry(page: Page) -> Shown:
    text = f"{page.via} wakes {page.to or 'its subscribers'}: {page.title}"
    return {"at": page.at.isoformat(), "actor": "incident-bot", "kind": "page", "text": text, "reason": ""}

"""A run of a remediation: one execution of the machine, which owns the ACTION item until it ends or is taken over."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from incident_bot import plugins
from incident_bot.actions import Action
from incident_bot.domain import journal
from incident_bot.domain.answer import meaning
from incident_bot.domain.errors import Conflict, Denied, IncidentBotError
from incident_bot.domain.journal import BACK, FORWARD, Entry, Kind
from incident_bot.domain.plan import Call
from incident_bot.remedy import credentials
from incident_bot.remedy.judging import kill_switch
from incident_bot.state import actions
from incident_bot.state.actions import Remediation
from incident_bot.world import World

CALL_LIMIT = timedelta(seconds=60)  # Act's own time limit: a call intended longer ago than this is not under way
TRIES = 5
T = TypeVar("T")


class Stopped(Exception):
    """The run must stop here: the outcome and what to tell."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome, self.reason = outcome, reason


def name_of(event: Mapping[str, Any]) -> str:
    """The run that an event of the machine belongs to."""
    return f"{event['purpose']}-{event['attempt']}"


def owned(world: World, event: Mapping[str, Any]) -> Remediation | None:
    """The remediation, where the event's run owns it and has not ended."""
    found = actions.read(world.store, event["action"])
    return found if found.live and found.run == name_of(event) else None


def entered(world: World, event: Mapping[str, Any]) -> Remediation | None:
    """The remediation, with the event's run as its owner; None where that run was taken over or has ended.

    The first Act of a run raises the fencing token, so that whatever an older run still tries to write fails.
    """
    run = name_of(event)
    for _ in range(TRIES):
        before = actions.read(world.store, event["action"])
        if before.run == run:
            return before if before.live else None
        if run in before.runs or not _may_enter(before, event):
            return None
        entry = Entry(0, world.now(), run, Kind.OPENED, f"run {run} begins")
        fields = {
            "run": run,
            "runs": (*before.runs, run),
            "live": True,
            "fence": before.fence + 1,
            "attempt": max(before.attempt, int(event["attempt"])),
            "purpose": event["purpose"],
            **_carried(before, event),
        }
        try:
            after, update = actions.noting(world, before, [entry], **fields)
            world.store.write([update])
        except Conflict:
            continue
        return after
    raise Conflict(f"{event['action']} changed {TRIES} times while a run began")


def _may_enter(before: Remediation, event: Mapping[str, Any]) -> bool:
    """A run may follow one that ended, or take over from one of the same purpose, or put back what any other does.

    What was rejected, refused or ended in any way is never applied again, whoever starts the machine.
    """
    purpose: str = event["purpose"]
    if not before.live:
        return purpose != "apply" or before.state in ("proposed", "approved")
    return purpose in (before.purpose, "undo")


def _carried(before: Remediation, event: Mapping[str, Any]) -> dict[str, str]:
    """What a run of the same purpose had come to and nobody was told is only to be told: nothing of it starts anew."""
    untold = before.live and before.purpose == event["purpose"]
    return {"outcome": before.outcome, "text": before.text} if untold else {"outcome": "", "text": ""}


class Run:
    """What a run does, step by step; `remediation` is always what the table holds."""

    def __init__(self, world: World, remediation: Remediation) -> None:
        self.world, self.remediation = world, remediation
        self.action: Action = plugins.actions()[remediation.action]

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.remediation.journal

    def note(self, kind: Kind, said: str, step: int = -1, way: str = "", **fields: Any) -> None:
        """Write one entry down; Conflict where the run was taken over."""
        self.write(self.entry(kind, said, step, way), **fields)

    def entry(self, kind: Kind, said: str, step: int = -1, way: str = "") -> Entry:
        """An entry that is still to be written."""
        return Entry(0, self.world.now(), self.remediation.run, kind, said, step, way)

    def write(self, *entries: Entry, **fields: Any) -> None:
        """Write these down at once; Conflict where the run was taken over."""
        self.remediation = actions.note(self.world, self.remediation, *entries, **fields)

    def end(self, outcome: str, state: str, text: str, *before: Entry) -> None:
        """Write the outcome down, for Release to tell, at once with the entries that led to it."""
        ended = self.entry(Kind.ENDED, f"{outcome}: {text}"[:2000])
        self.write(*before, ended, state=state, outcome=outcome, text=text)

    def looks(self) -> dict[int, str]:
        """Read back what every step's target is now."""
        return {step: self.look(step) for step in range(len(self.remediation.plan.steps))}

    def look(self, step: int) -> str:
        """Read back one step's target."""
        call = self.remediation.plan.steps[step].forward
        return answered(lambda: self.action.look(call, self.world.clients))

    def manual(self) -> str:
        """What a person needs to know and to type."""
        return journal.manual(self.remediation.plan, self.entries, self.world.region)

    def make(self, step: int, way: str) -> None:
        """Make one call: written down first, the kill switch read right before, the credentials minted for it alone."""
        planned = self.remediation.plan.steps[step]
        call = planned.forward if way == FORWARD else planned.inverse
        if call is None:
            return
        words = f"{call.service}:{call.operation} on {call.target}"
        exactly = json.dumps(dict(call.arguments), sort_keys=True)
        self.note(Kind.INTENDED, f"about to call {words} with {exactly}"[:2000], step, way)
        switch = kill_switch(self.world)
        if switch and not (way == BACK and self.remediation.order):
            self.note(Kind.HELD, f"not called: {switch}", step, way)
            raise Stopped("suspended", switch)
        try:
            self._call(call)
        except Denied as denied:
            self.note(Kind.DENIED, f"{words} was denied: {denied.reason}"[:1000], step, way)
            raise Stopped("denied", denied.reason) from denied
        except IncidentBotError as error:
            self._failed(step, way, f"{words} failed: {error.reason}"[:1000])
            return
        self._made(Kind.DONE, f"called {words}", step, way)

    def found(self, step: int, way: str, reason: str) -> None:
        """Write down that a call which never answered went through."""
        planned = self.remediation.plan.steps[step]
        call = (planned.inverse if way == BACK else None) or planned.forward
        self._made(Kind.FOUND, f"{call.service}:{call.operation} on {call.target}: {reason}", step, way)

    def _call(self, call: Call) -> None:
        clients = credentials.assume(self.world, self.remediation, self.action, call.target)
        answered(lambda: self.action.make(call, clients))

    def _failed(self, step: int, way: str, text: str) -> None:
        """An answer that is bad, or none at all, does not say whether the call went through. The world does."""
        went_through = "applied" if way == FORWARD else "not applied"
        if self.look(step) == went_through:
            self._made(Kind.FOUND, f"{text}; the world shows that it went through", step, way)
        else:
            self.note(Kind.FAILED, text, step, way)

    def _made(self, kind: Kind, text: str, step: int, way: str) -> None:
        fields: dict[str, datetime] = {"acted_at": self.world.now()} if way == FORWARD else {}
        self.note(kind, text, step, way, **fields)


def answered(call: Callable[[], T]) -> T:
    """Let the SDK answer, in our own errors."""
    try:
        return call()
    except IncidentBotError:
        raise
    except Exception as error:  # the SDK's exceptions have no base that may be imported here
        raise meaning(error) from error


def answer(event: Mapping[str, Any], following: str, *, phase: str = "", wait: float = 0) -> dict[str, Any]:
    """What the state machine needs to go on: the ids, the phase, what comes next and after how many seconds."""
    ids = {name: event[name] for name in ("incident", "action", "purpose", "attempt")}
    waits = max(int(wait + 0.999), 1)
    return {**ids, "phase": phase or event.get("phase", ""), "next": following, "wait_seconds": waits}

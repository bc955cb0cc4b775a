"""The journal of a remediation: what was intended, what came of it, and what to do next; written ahead of every call.

Whoever resumes a journal trusts it for what was *tried* and the world, read back, for what *is*: only both together say
whether a call is to be made, was made, or was overtaken by somebody else.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from incident_bot.domain.clock import rfc3339
from incident_bot.domain.plan import Plan, by_hand
from incident_bot.domain.timeline import GENESIS

TRIES = 3  # failures of one step's call until it is given up
FORWARD, BACK = "forward", "back"


class Kind(StrEnum):
    """What a journal entry says."""

    OPENED = "opened"  # a run began (or took over) with this journal
    INTENDED = "intended"  # the call of that step is about to be made
    DONE = "done"  # it answered well
    FOUND = "found"  # it never answered, and the world shows that it went through
    FAILED = "failed"  # it answered badly, and the world shows that it did not go through
    DENIED = "denied"  # AWS denied it: nothing is called any more
    HELD = "held"  # the kill switch was on: the call was not made
    LEFT = "left"  # not put back: somebody changed it since, or it cannot be
    TURNED = "turned"  # from here on everything is put back
    CHECKED = "checked"  # what the signals said
    ENDED = "ended"  # the outcome


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `step` counts from 0 (-1: about no step), `way` is forward or back, `run` names the execution."""

    number: int
    at: datetime
    run: str
    kind: Kind
    text: str
    step: int = -1
    way: str = ""
    hash: str = ""


def following(entries: Sequence[Entry], entry: Entry) -> Entry:
    """`entry` numbered and sealed as the one after `entries`."""
    previous = entries[-1].hash if entries else GENESIS
    numbered = replace(entry, number=len(entries) + 1)
    return replace(numbered, hash=_hash(numbered, previous))


def flaws(entries: Sequence[Entry]) -> list[str]:
    """What is wrong with a journal: a changed, dropped, inserted or reordered entry; empty when it is whole."""
    found, previous = [], GENESIS
    for expected, entry in enumerate(entries, start=1):
        if entry.number != expected or entry.hash != _hash(entry, previous):
            found.append(f"journal entry {expected} does not follow from the one before")
        previous = entry.hash
    return found


def _hash(entry: Entry, previous: str) -> str:
    body = {**asdict(entry), "at": rfc3339(entry.at), "hash": previous}
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Standing:
    """What the journal knows of one step's call in one direction."""

    tried: bool = False  # it was called, or may have been
    open: bool = False  # it was intended, and what came of it was never written down
    made: bool = False
    failures: int = 0
    left: bool = False


def standing(entries: Sequence[Entry], step: int, way: str) -> Standing:
    """Where that step stands in that direction."""
    kinds = [entry.kind for entry in entries if entry.step == step and entry.way == way]
    uncalled = sum(1 for kind in kinds if kind in (Kind.HELD, Kind.DENIED))
    answered = sum(1 for kind in kinds if kind in (Kind.DONE, Kind.FOUND, Kind.FAILED))
    return Standing(
        tried=kinds.count(Kind.INTENDED) > uncalled,
        open=kinds.count(Kind.INTENDED) > uncalled + answered,
        made=Kind.DONE in kinds or Kind.FOUND in kinds,
        failures=kinds.count(Kind.FAILED),
        left=Kind.LEFT in kinds,
    )


def unsettled(entries: Sequence[Entry], now: datetime, limit: timedelta) -> timedelta:
    """How long a call that was intended and never answered may still be under way; zero when none is.

    Its caller may be slow and not dead: whoever takes over waits until the caller's time limit has passed.
    """
    said = [entry for entry in entries if entry.kind is not Kind.OPENED]
    if not said or said[-1].kind is not Kind.INTENDED:
        return timedelta()
    return max(said[-1].at + limit - now, timedelta())


def turned(entries: Sequence[Entry]) -> bool:
    """Whether the remediation is being put back."""
    return any(entry.kind is Kind.TURNED for entry in entries)


def denial(entries: Sequence[Entry], purpose: str) -> str:
    """What AWS denied a run of that purpose which died before it wrote down that it stops; empty where none did."""
    last = next((entry for entry in reversed(entries) if entry.kind in (Kind.DENIED, Kind.ENDED)), None)
    return last.text if last and last.kind is Kind.DENIED and last.run.startswith(f"{purpose}-") else ""


class Move(StrEnum):
    """What to do next."""

    MAKE = "make"  # make that step's call
    NOTE = "note"  # write down that it went through
    LEAVE = "leave"  # write down that it stays as it is
    TURN = "turn"  # stop and put everything back
    NONE = "none"  # everything here is done


@dataclass(frozen=True, slots=True)
class Next:
    """The next move, on which step, and why."""

    move: Move
    step: int = -1
    reason: str = ""


def forwards(plan: Plan, entries: Sequence[Entry], looks: Mapping[int, str], steps: Sequence[int]) -> Next:
    """What to do next so that `steps` are applied; `looks` says if each is applied, not applied or drifted."""
    for step in steps:
        known, target = standing(entries, step, FORWARD), plan.steps[step].target
        match looks[step], known.tried, known.made:
            case "applied", _, True:
                continue
            case "applied", True, _:
                return Next(Move.NOTE, step, "the world shows that the call went through")
            case "applied", _, _:
                return Next(Move.TURN, step, f"somebody else has changed {target} the same way")
            case "not applied", _, True:
                return Next(Move.TURN, step, f"somebody put {target} back")
            case "not applied", _, _ if known.failures >= TRIES:
                return Next(Move.TURN, step, f"the call on {target} failed {known.failures} times")
            case "not applied", _, _:
                return Next(Move.MAKE, step, "planned and not applied yet")
        return Next(Move.TURN, step, f"{target} is not what it was when this was planned")
    return Next(Move.NONE, reason="applied")


def backwards(plan: Plan, entries: Sequence[Entry], looks: Mapping[int, str]) -> Next:
    """What to do next so that nothing stays of what was tried; what somebody changed since is left alone."""
    for step in reversed(range(len(plan.steps))):
        forth, back = standing(entries, step, FORWARD), standing(entries, step, BACK)
        if not forth.tried or back.left or plan.steps[step].inverse is None:
            continue
        match looks[step]:
            case "applied" if back.failures >= TRIES:
                return Next(Move.LEAVE, step, f"putting it back failed {back.failures} times")
            case "applied":
                return Next(Move.MAKE, step, "applied and to be put back")
            case "not applied" if back.tried and not back.made:
                return Next(Move.NOTE, step, "the world shows that it was put back")
            case "not applied":
                continue
        return Next(Move.LEAVE, step, "somebody changed it since: left as it is")
    return Next(Move.NONE, reason="put back")


def applied(plan: Plan, entries: Sequence[Entry]) -> tuple[int, ...]:
    """The steps that are in force as far as the journal knows: made and not put back."""
    return tuple(
        step
        for step in range(len(plan.steps))
        if standing(entries, step, FORWARD).made and not standing(entries, step, BACK).made
    )


def uncertain(plan: Plan, entries: Sequence[Entry]) -> tuple[int, ...]:
    """The steps whose forward call was intended, and nobody knows of any that went through."""
    forth = [standing(entries, step, FORWARD) for step in range(len(plan.steps))]
    return tuple(step for step, known in enumerate(forth) if known.open and not known.made)


def manual(plan: Plan, entries: Sequence[Entry], region: str) -> str:
    """What is applied, what is not, and the command lines that undo it: what a person needs when the bot stops."""
    in_force, unknown = applied(plan, entries), uncertain(plan, entries)
    lines = []
    for index, step in enumerate(plan.steps):
        state = "applied" if index in in_force else "perhaps applied" if index in unknown else "not applied"
        lines.append(f"{state}: {step.forward.operation} on {step.target}")
    for index in sorted({*in_force, *unknown}, reverse=True):
        inverse = plan.steps[index].inverse
        lines.append(f"undo by hand: {by_hand(inverse, region)}" if inverse else "nothing to undo by hand")
    return "\n".join(lines)

"""Act: claim what was decided, take the locks, and change the world step by step - or put it back."""

from collections.abc import Mapping
from typing import Any

from incident_bot.domain import journal
from incident_bot.domain.errors import Conflict, IncidentBotError, Refused
from incident_bot.domain.journal import BACK, FORWARD, Kind, Move
from incident_bot.domain.policy import Verdict
from incident_bot.remedy.claiming import Busy, claim, hold
from incident_bot.remedy.judging import judge, playbook_of
from incident_bot.remedy.running import CALL_LIMIT, Run, Stopped, answer, entered
from incident_bot.world import World

CANARY, REST, UNDO = "canary", "rest", "undo"
COLLISION_SECONDS = 5


def act(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """One turn of the machine's Act; answers with what comes next: settle, undo, check, wait, release or ended."""
    remediation = entered(world, event)
    if remediation is None:
        return answer(event, "ended")
    pending = journal.unsettled(remediation.journal, world.now(), CALL_LIMIT).total_seconds()
    if pending:
        return answer(event, "wait", wait=pending)
    run = Run(world, remediation)
    try:
        return _go_on(run, event)
    except Conflict:
        # Another worker of the same run was first, or another run took over: look again, from what is written.
        return answer(event, "wait", wait=COLLISION_SECONDS)


def _go_on(run: Run, event: Mapping[str, Any]) -> dict[str, Any]:
    remediation = run.remediation
    if remediation.outcome:
        return answer(event, "release")
    back = event["purpose"] != "apply" or journal.turned(remediation.journal)
    try:
        _heed_denial(run, event)
        if back:
            return _put_back(run, event)
        if remediation.state in ("proposed", "approved"):
            claim(run)
        elif reason := _no_longer(run):
            run.note(Kind.TURNED, reason)
            return answer(event, "undo", phase=UNDO)
        return _apply(run, event)
    except Busy as busy:
        run.end("busy", "busy" if not back else remediation.state, busy.reason)
    except Stopped as stopped:
        _stop(run, stopped, back=back)
    except Refused as refused:
        # Only before the first call: what is refused later is turned and put back.
        run.end("refused", "refused", f"{refused.rule}: {refused.reason}" if refused.rule else refused.reason)
    return answer(event, "release")


def _heed_denial(run: Run, event: Mapping[str, Any]) -> None:
    """Whoever was denied a call and died before it stopped has stopped all the same."""
    if denial := journal.denial(run.entries, event["purpose"]):
        raise Stopped("denied", denial)


def _no_longer(run: Run) -> str:
    """Why a remediation under way may not go on forwards; empty where approval, guardrails and plan still hold."""
    remediation, world = run.remediation, run.world
    if remediation.plan.digest != remediation.digest:
        return "the plan is not the one that was judged"
    service, playbook = world.team.services.get(remediation.service), playbook_of(world, remediation.playbook)
    decision = judge(world, remediation.plan, service, playbook, requester=remediation.requester, resuming=True)
    if decision.rule == "kill switch":
        raise Stopped("suspended", decision.reason)
    if decision.verdict is Verdict.DENY:
        return f"the guardrails deny it by now: {decision.rule}, {decision.reason}"
    if decision.verdict is Verdict.ASK and not remediation.approval:
        return f"the guardrails ask by now: {decision.rule}, {decision.reason}"
    return ""


def _apply(run: Run, event: Mapping[str, Any]) -> dict[str, Any]:
    """Make the calls of this phase that the world does not show yet, one at a time."""
    phase = event.get("phase") or CANARY
    plan = run.remediation.plan
    steps = plan.canaries() if phase == CANARY else tuple(range(len(plan.steps)))
    while True:
        following = journal.forwards(plan, run.entries, run.looks(), steps)
        match following.move:
            case Move.MAKE:
                run.make(following.step, FORWARD)
            case Move.NOTE:
                run.found(following.step, FORWARD, following.reason)
            case Move.TURN:
                run.note(Kind.TURNED, following.reason, following.step)
                return answer(event, "undo", phase=UNDO)
            case _:
                return answer(event, "settle", phase=phase, wait=run.remediation.settle_seconds)


def _put_back(run: Run, event: Mapping[str, Any]) -> dict[str, Any]:
    """Put back what was tried, last first; what somebody changed since is left alone and said."""
    plan = run.remediation.plan
    if not any(journal.standing(run.entries, step, FORWARD).tried for step in range(len(plan.steps))):
        return _nothing_to_undo(run, event)
    hold(run)
    _read_back(run)
    while True:
        following = journal.backwards(plan, run.entries, run.looks())
        match following.move:
            case Move.MAKE:
                run.make(following.step, BACK)
            case Move.NOTE:
                run.found(following.step, BACK, following.reason)
            case Move.LEAVE:
                run.note(Kind.LEFT, following.reason, following.step, BACK)
            case _:
                _conclude_undo(run, event)
                return answer(event, "check", phase=UNDO)


def _nothing_to_undo(run: Run, event: Mapping[str, Any]) -> dict[str, Any]:
    outcome = {"lift": "lifted", "undo": "undone"}.get(event["purpose"], "failed")
    run.end(outcome, outcome, f"nothing was changed, so nothing is to be put back{_because(run)}")
    return answer(event, "release")


def _conclude_undo(run: Run, event: Mapping[str, Any]) -> None:
    plan, entries = run.remediation.plan, run.entries
    left = [entry for entry in entries if entry.kind is Kind.LEFT]
    kept = [step for step in journal.applied(plan, entries) if plan.steps[step].inverse is None]
    because = _because(run)
    if left:
        said = "; ".join(f"{plan.steps[entry.step].target}: {entry.text}" for entry in left)
        run.end("partial", "partial", f"not everything could be put back{because}. {said}\n{run.manual()}")
    elif event["purpose"] == "lift":
        run.end("lifted", "lifted", "everything is as it was before")
    elif kept and len(kept) == len(journal.applied(plan, entries)):
        run.end("failed", "failed", f"there is nothing to put back of {plan.action}{because}")
    else:
        run.end("undone", "undone", f"everything is as it was before{because}")


def _because(run: Run) -> str:
    if run.remediation.order:
        return f" ({run.remediation.order.person} ordered it: {run.remediation.order.reason})"
    turned = next((entry.text for entry in run.entries if entry.kind is Kind.TURNED), "")
    return f" ({turned})" if turned else ""


def _read_back(run: Run) -> None:
    """Ask the world about a call whose end nobody wrote down, so that the record says exactly what was applied."""
    for step in journal.uncertain(run.remediation.plan, run.entries):
        try:
            seen = run.look(step)
        except IncidentBotError:
            continue  # then it is "perhaps applied"
        if seen == "applied":
            run.found(step, FORWARD, "the world shows that the call went through")
        elif seen == "not applied":
            run.note(Kind.FAILED, "the world shows that the call did not go through", step, FORWARD)


def _stop(run: Run, stopped: Stopped, *, back: bool) -> None:
    """No further call. What is applied stays, written down and locked, and a person is told how to undo it."""
    _read_back(run)
    plan, entries = run.remediation.plan, run.entries
    touched = journal.applied(plan, entries) or journal.uncertain(plan, entries)
    state = run.remediation.state
    if stopped.outcome == "suspended" and (touched or back):
        run.end("suspended", "suspended" if touched else state, f"{stopped.reason}\n{run.manual()}")
    elif touched:
        run.end("partial", "partial", f"AWS denied a call, nothing more is tried: {stopped.reason}\n{run.manual()}")
    elif stopped.outcome == "suspended":
        run.end("refused", "refused", f"{stopped.reason}: nothing was changed")
    else:
        run.end("failed", "failed", f"AWS denied the call, nothing was changed: {stopped.reason}")

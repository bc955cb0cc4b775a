"""What must hold of remediations however an account, its people and its permissions were shaken."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from incident_bot.domain import journal
from incident_bot.domain.journal import BACK, FORWARD, Kind
from incident_bot.state import actions, approvals, controls, heads, incidents, locks
from incident_bot.state.actions import Remediation
from tests.simulation.invariants import SCOPE
from tests.simulation.shop import Effect, Shop
from tests.simulation.stage import Account

GRACE = timedelta(minutes=15)  # in which a lift that was missed is made up for
MADE = (Kind.DONE, Kind.FOUND)
ENDS_WITHOUT = {
    "undone",
    "failed",
    "refused",
    "lifted",
    "busy",
    "denied",
    "expired",
    "rejected",
    "proposed",
    "approved",
}


def broken(account: Account) -> list[str]:
    """Every invariant of remediations that does not hold, in words; the numbers are those of the fault table."""
    checks = (_effects, _timelines, _journals, _approvals, _denials, _wholeness, _locks, _lifts, _production)
    return [flaw for check in checks for flaw in check(account)]


def watch(account: Account) -> None:
    """Have the account noticed whenever something is done that must never be, even for a moment."""
    shop = shop_of(account)
    shop.on_effect = lambda effect: account.noticed.extend(_forbidden(account, effect))
    account.deployment.look = lambda: account.noticed.extend(_doubled(account))


def shop_of(account: Account) -> Shop:
    """What it looks after."""
    if account.shop is None:
        raise ValueError("this account looks after nothing")
    return account.shop


def all_of(account: Account) -> list[Remediation]:
    """Every remediation, of whatever incident."""
    return [found for incident in account.incidents() for found in actions.of(account.world.store, incident.id)]


def _forbidden(account: Account, effect: Effect) -> Iterator[str]:
    """Kill switch: nothing is changed while it is on, but what a person ordered back. 8: nor without its approval."""
    lock = locks.read(account.world.store, effect.target)
    if lock is None or not lock.acting:
        yield f"lock: {effect.target} was changed while nobody had locked it"
        return
    found = actions.read(account.world.store, lock.acting)
    if controls.kill_switch(account.world.store) and not found.order:
        yield f"kill switch: {found.id} changed {effect.target} while it was on"
    if found.approval and approvals.read(account.world.store, found.approval).state != "claimed":
        yield f"8: {found.id} ran without its approval"


def _doubled(account: Account) -> Iterator[str]:
    """11: never two executions of one incident."""
    running = (e for e in account.world.machines.executions.values() if e.status == "RUNNING")
    for identifier, number in Counter(e.payload["incident"] for e in running if e.machine == "incident").items():
        if number > 1:
            yield f"11: {identifier} is run by {number} executions at {account.world.now():%H:%M:%S}"


def _effects(account: Account) -> Iterator[str]:
    """1: what changed in the world is what the journals know of, each once forth and once back."""
    known: Counter[str] = Counter()
    for found in all_of(account):
        for number, step in enumerate(found.plan.steps):
            for way in (FORWARD, BACK):
                made = sum(1 for e in found.journal if e.step == number and e.way == way and e.kind in MADE)
                known[step.target] += made
                if made > 1:
                    yield f"1: {found.id} made step {number} {way} {made} times"
    for target, number in Counter(effect.target for effect in shop_of(account).effects).items():
        if number != known[target]:
            yield f"1: {target} was changed {number} times, the journals know of {known[target]}"


def _timelines(account: Account) -> Iterator[str]:
    """Every call that was made is on the incident's timeline, once."""
    for found in all_of(account):
        entries = incidents.timeline(account.world.store, found.incident)
        lines = Counter(entry["text"] for entry in entries if entry["actor"] == "act")
        calls = Counter(f"{e.at:%H:%M:%S} UTC: {e.text}" for e in found.journal if e.kind is Kind.DONE)
        for text, number in calls.items():
            if lines[text] < number:
                yield f"timeline of {found.incident}: {lines[text]} of {number} times: {text}"


def _journals(account: Account) -> Iterator[str]:
    """Every journal is whole."""
    for found in all_of(account):
        yield from (f"journal of {found.id}: {flaw}" for flaw in journal.flaws(found.journal))


def _approvals(account: Account) -> Iterator[str]:
    """8: what ran on an approval ran on one that people gave, in time, for exactly that plan."""
    for found in all_of(account):
        begun = next((e.at for e in found.journal if e.text.startswith("claimed")), None)
        if not found.approval:
            if begun and found.verdict != "allow":
                yield f"8: {found.id} ran, though the guardrails said {found.verdict}"
            continue
        approval = approvals.read(account.world.store, found.approval)
        if begun and (approval.state != "claimed" or begun >= approval.expires_at or approval.digest != found.digest):
            yield f"8: {found.id} ran at {begun:%H:%M:%S} on an approval that is {approval.state}"
        if not begun and approval.state == "claimed":
            yield f"8: {approval.id} is claimed and {found.id} never began"
        if approval.state == "approved" and not _stale(account, found):
            yield f"7: {approval.id} is approved and nothing came of it ({found.state})"


def _stale(account: Account, found: Remediation) -> bool:
    """Whether an approved remediation will never begin any more: refused, its turn lost, or its incident over."""
    over = {incident.id for incident in account.incidents() if incident.over}
    return found.state in ("refused", "busy", "failed", "undone") or found.incident in over


def _denials(account: Account) -> Iterator[str]:
    """14: a run that was denied calls nothing any more; only whoever died before writing that down asks twice."""
    shop = shop_of(account)
    written = 0
    for found in all_of(account):
        denied: set[str] = set()
        for entry in found.journal:
            if entry.run in denied and entry.kind is Kind.INTENDED:
                yield f"14: {found.id} went on in {entry.run} after it was denied"
            if entry.kind is Kind.DENIED:
                written += 1
                denied.add(entry.run)
    if shop.denials > written + len(account.plan.happened):
        yield f"14: {shop.denials} calls were denied, the journals know of {written}"


def _wholeness(account: Account) -> Iterator[str]:
    """All or nothing; or, where that is not in the bot's power, a person knows exactly what is applied."""
    told = [woken.text for woken in account.pager.woken] + [text for _, text in account.world.notices.published]
    for found in all_of(account):
        made = journal.applied(found.plan, found.journal)
        if found.live:
            yield f"all or nothing: {found.id} is still under way ({found.run})"
        elif found.state == "applied" and len(made) < len(found.plan.steps):
            yield f"all or nothing: {found.id} is applied, but for {len(found.plan.steps) - len(made)} of its steps"
        elif found.state in ENDS_WITHOUT and made:
            yield f"all or nothing: {found.id} is {found.state}, but {len(made)} steps are in force"
        elif found.state in ("suspended", "partial"):
            for step in made:
                said = f"applied: {found.plan.steps[step].forward.operation} on {found.plan.steps[step].target}"
                if not any(said in text for text in told):
                    yield f"all or nothing: {found.id} is {found.state} and nobody was told: {said}"


def _locks(account: Account) -> Iterator[str]:
    """A lock is held by who needs it, and by nobody else; nothing is marked as acting that does not act."""
    known = {found.id: found for found in all_of(account)}
    for item in account.world.store:
        if item["SK"] == "LOCK" and item.get("incident"):
            for holder in item["holders"]:
                if not (known[holder].live or known[holder].in_force):
                    yield f"lock: {holder} is {known[holder].state} and still holds {item['target']}"
    for name in heads.read(account.world.store, SCOPE).acting:
        if not (known[name].live or known[name].state == "suspended"):
            yield f"head: {name} is {known[name].state} and marked as acting"


def _lifts(account: Account) -> Iterator[str]:
    """A temporary mitigation is lifted when its time is over, unless people or AWS forbid it."""
    if controls.kill_switch(account.world.store) or shop_of(account).denied:
        return
    for found in all_of(account):
        lasts = timedelta(seconds=found.lift_after_seconds) + GRACE
        if (
            found.state == "applied"
            and found.in_force
            and (found.acted_at or found.created_at) + lasts < (account.world.now())
        ):
            yield f"lift: {found.id} is still in force"


def _production(account: Account) -> Iterator[str]:
    """The world is as the journals say: as the last change left it, or untouched."""
    shop = shop_of(account)
    expected = dict(shop.before)
    changes = [(e.at, e.number, found, e) for found in all_of(account) for e in found.journal if e.kind in MADE]
    for _, _, found, entry in sorted(changes, key=lambda change: change[:2]):
        step = found.plan.steps[entry.step]
        (made,) = (step.forward.after if entry.way == FORWARD else step.forward.before).values()
        expected[step.target] = made
    for target, value in expected.items():
        if shop.standing(target) != value:
            yield f"production: {target} is {shop.standing(target)}, by the journals it is {value}"

"""Sending what an intent says: to whoever is on call now, by the first channel that takes it, and never silently not.

The intent was written down before; here its lease is taken, the state is read again right before sending, and what
came of it is recorded together with the mail that tells the incident. A crash in between repeats the send, same key.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from incident_bot.domain import compose, journal, rota
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.errors import Conflict, IncidentBotError, NotFound
from incident_bot.domain.escalate import LAST_RESORT, spared
from incident_bot.domain.incident import Incident
from incident_bot.domain.intent import LEASE, Intent
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.message import Kind, Message
from incident_bot.domain.opening import FIRST_PAGE
from incident_bot.domain.rota import Override, Recipients
from incident_bot.domain.shape import load
from incident_bot.domain.team import EscalationStep
from incident_bot.paging import storms
from incident_bot.paging.delivery import FALLBACK, SHORTEST_TRY_SECONDS, Tried, by_channels, close, fall_back, standing
from incident_bot.state import actions, intents, keys, mailbox, overrides
from incident_bot.state.facts import Record
from incident_bot.world import Item, Key, Update, World, Write

TRIES = 12  # after so many failures in a row the incident is told that the message failed for good
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=5)
CLOSES = (Kind.RESOLVE, Kind.ACKNOWLEDGE)


NOTHING = Tried()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: `sent`, `busy` (somebody else is sending), `early` (held), `cancelled` or `failed`, and why.

    `began` is the summary that the page began, and that has no execution yet.
    """

    kind: str
    reason: str
    began: str = ""


@dataclass(frozen=True, slots=True)
class _Effect:
    """What one attempt did to the outside: who was to be told, what was tried, or why nothing was."""

    people: tuple[str, ...] = ()
    tried: Tried = NOTHING
    cancelled: str = ""
    began: str = ""


def send(world: World, incident_id: str, name: str, *, budget_seconds: float = 10.0) -> Outcome:
    """Send that intent of the incident, unless it is sent, held, cancelled or in somebody else's hands.

    The channels share `budget_seconds`; the fallback comes on top of it. Raises NotFound where there is no such intent,
    and Unavailable where the table cannot be read: the lease then ends by itself and `sweep` tries again.
    """
    intent = _read(world, incident_id, name)
    if refusal := _not_now(intent, world.now()):
        return refusal
    lease_until = world.now() + timedelta(seconds=budget_seconds) + LEASE
    leased = replace(intent, attempts=intent.attempts + 1, lease_until=lease_until)
    if not _take_lease(world, leased):
        return Outcome("busy", "somebody else is sending it")
    found = world.store.get_many([keys.meta(incident_id), keys.facts(incident_id), keys.storm(intent.group)])
    if keys.meta(incident_id) not in found:
        raise NotFound(f"there is no incident {incident_id}")
    incident = load(Incident, found[keys.meta(incident_id)])
    deadline = world.now() + timedelta(seconds=budget_seconds)  # a slow table takes nothing from the channels
    if leased.kind in CLOSES:
        effect = _close(world, incident, leased, deadline)
    else:
        effect = _tell(world, incident, leased, found, deadline)
    return _record(world, incident, leased, effect)


def _read(world: World, incident_id: str, name: str) -> Intent:
    item = world.store.get(keys.intent(incident_id, name))
    if item is None:
        raise NotFound(f"incident {incident_id} has no intent {name}")
    return load(Intent, item)


def _not_now(intent: Intent, now: datetime) -> Outcome | None:
    if intent.state != "pending":
        return Outcome(intent.state, intent.outcome or f"it was {intent.state} before")
    if intent.not_before and intent.not_before > now:
        return Outcome("early", f"it is not to be sent before {rfc3339(intent.not_before)}")
    if intent.lease_until and intent.lease_until > now:
        return Outcome("busy", "somebody else is sending it")
    return None


def _take_lease(world: World, leased: Intent) -> bool:
    """The number of attempts is the fence: of two senders that read the same, one gets the lease."""
    until = leased.lease_until or world.now()
    key = keys.intent(leased.incident, leased.name)
    changes = {"lease_until": rfc3339(until), "attempts": leased.attempts, **keys.due(key, until)}
    try:
        world.store.update(Update(key, set=changes, expect={"state": "pending", "attempts": leased.attempts - 1}))
    except Conflict:
        return False
    return True


def _tell(world: World, incident: Incident, intent: Intent, found: Mapping[Key, Item], deadline: datetime) -> _Effect:
    """Send a page or an update to the people its step stands for now."""
    step = intent.steps[0] if intent.steps else LAST_RESORT
    everybody = rota.recipients(step, world.team, world.now(), _overrides(world, step))
    reason, began = _needless(world, incident, intent), ""
    if not reason:
        reason, began = _in_a_storm(world, incident, intent, found, deadline)
    if reason:
        whom = rota.names(everybody.people, world.team) or intent.group
        would = "would have paged" if intent.pages else "would have told"
        return _Effect(cancelled=f"{reason}; {would} {whom}", began=began)
    recipients = _spare(world, intent, everybody)
    message = _composed(world, incident, intent, recipients, found.get(keys.facts(incident.id), {}))
    to = rota.names(recipients.people, world.team) or f"team {intent.group}"
    tried = NOTHING
    if recipients.people or not everybody.people:
        tried = by_channels(world, message, step.channels, group=intent.group, to=to, deadline=deadline)
    if not tried.sent or recipients.missing:
        tried = tried.plus(fall_back(world, message, intent.group, tried.failures))
    return _Effect(recipients.people, tried)


def _needless(world: World, incident: Incident, intent: Intent) -> str:
    """Why the message is no longer needed, by the state as it is right now; empty where it is."""
    if incident.over and (intent.pages or intent.details.get("approval")) and intent.purpose != "undo":
        return f"it was merged into {incident.merged_into}" if incident.merged_into else "it was resolved before"
    if intent.purpose == "escalation" and _acknowledged(world, incident, intent):
        return "it was acknowledged before"
    return ""


def _in_a_storm(
    world: World, incident: Incident, intent: Intent, found: Mapping[Key, Item], deadline: datetime
) -> tuple[str, str]:
    """Why the page is part of its team's summary (empty where it goes out by itself), and that one where it begins with
    it: then it is sent at once; what fails there is due by itself."""
    part = storms.taken(world, incident, intent, found)
    if part.begins:
        left = (deadline - world.now()).total_seconds()
        send(world, part.begins, FIRST_PAGE, budget_seconds=max(left, SHORTEST_TRY_SECONDS))
    return part.reason, part.begins


def _acknowledged(world: World, incident: Incident, intent: Intent) -> bool:
    """Whether somebody acknowledged since the escalation was decided; the mail may not have been taken yet."""
    since = intent.created_at or incident.opened_at
    if incident.acknowledged_at and incident.acknowledged_at >= since:
        return True
    return any(mail.kind is MailKind.ACK for mail in mailbox.read(world, incident).mails)


def _overrides(world: World, step: EscalationStep) -> Sequence[Override]:
    rotas = [name.removeprefix("rota:") for name in step.notify if name.startswith("rota:")]
    try:
        return overrides.of(world.store, rotas, world.now())
    except IncidentBotError:
        return ()  # the person of the rota is better than nobody


def _spare(world: World, intent: Intent, recipients: Recipients) -> Recipients:
    """Leave out, and say so, whom escalations would page too often in this hour."""
    if intent.purpose != "escalation":
        return recipients
    budgets = {person: keys.budget(person, world.now()) for person in recipients.people}
    found = world.store.get_many(list(budgets.values()))
    spent = {person: int(found.get(key, {}).get("pages", 0)) for person, key in budgets.items()}
    reasons = {person: spared(person, pages, intent.purpose) for person, pages in spent.items()}
    kept = [(p, r) for p, r in zip(recipients.people, recipients.reasons, strict=True) if not reasons[p]]
    missing = (*recipients.missing, *(reason for reason in reasons.values() if reason))
    return Recipients(tuple(p for p, _ in kept), tuple(r for _, r in kept), missing)


def _composed(world: World, incident: Incident, intent: Intent, recipients: Recipients, facts: Item) -> Message:
    try:
        said = replace(intent, text="\n\n".join(part for part in (intent.text, *_half_way(world, incident)) if part))
        return compose.compose(incident, said, recipients, world.team, world.now(), facts=_texts(facts, world.now()))
    except Exception:  # noqa: BLE001 - a page fails open: whatever is wrong with what is known, the page goes out
        return compose.bare(incident.id, intent, recipients)


def _half_way(world: World, incident: Incident) -> Iterator[str]:
    """Exactly what remediations under way have changed so far: whoever is woken meanwhile may have to undo it."""
    for name in (name for name, action in incident.actions.items() if action.state == "running"):
        try:
            found = actions.read(world.store, name)
        except IncidentBotError as error:
            yield f"{name} is under way; what it has changed so far could not be read: {error.reason}"
        else:
            yield f"{name} is under way:\n{journal.manual(found.plan, found.journal, world.region)}"


def _texts(facts: Item, now: datetime) -> dict[str, str]:
    """What enrichment found, as text with its source and age."""
    records = {name: load(Record, record) for name, record in facts.get("facts", {}).items()}
    return {name: record.aged(now) for name, record in records.items() if record.text}


def _close(world: World, incident: Incident, intent: Intent, deadline: datetime) -> _Effect:
    """Acknowledge or resolve at every provider, and under every thread, where a page of the incident stands or may."""
    pages = [other for other in intents.of(world.store, incident.id) if other.pages]
    if any(page.state != "sent" and page.lease_until and page.lease_until > world.now() for page in pages):
        return _Effect(tried=Tried(intent.sent, ("a page is being sent at this moment",)))
    places = standing(pages)
    if not places:
        return _Effect(cancelled="nobody was paged, so there is nothing to close")
    message = compose.compose(incident, intent, Recipients((), ()), world.team, world.now())
    closed = {sent.reference: sent for sent in intent.sent}
    return _Effect(tried=Tried(intent.sent).plus(close(world, message, places, deadline, closed)))


def _record(world: World, incident: Incident, leased: Intent, effect: _Effect) -> Outcome:
    """Write what came of it and tell the incident, in one transaction; then tell whom it only interests."""
    after, outcome = _ended(leased, effect, world.now())
    mail = mailbox.posting(world, incident.id, [_mail(leased, effect, outcome, world.now())])
    try:
        world.store.write([intents.changing(after, leased, world.now()), mail])
    except Conflict:
        if not _recorded_late(world, leased, after, mail):
            return Outcome("busy", "its lease ended before it was recorded, and somebody else took over")
    _announce(world, incident, leased, effect, outcome)
    return outcome


def _recorded_late(world: World, leased: Intent, after: Intent, mail: Write) -> bool:
    """Record a page that left while the incident ended and cancelled it: it is out, so it has to be closed again."""
    now = _read(world, leased.incident, leased.name)
    if after.state != "sent" or now.state != "cancelled" or now.attempts != leased.attempts:
        return False
    reason = f"{leased.name} left at the moment in which it was cancelled: {now.outcome}"
    closing = Intent(
        incident=leased.incident,
        name=f"resolve-{leased.name}",
        purpose="resolve",
        kind=Kind.RESOLVE,
        severity=leased.severity,
        group=leased.group,
        steps=leased.steps,
        reason=reason,
    )
    also = [intents.opening(closing, world.now())] if leased.pages else []
    try:
        world.store.write([intents.changing(after, now, world.now()), mail, *also])
    except Conflict:
        return False
    return True


def _ended(leased: Intent, effect: _Effect, now: datetime) -> tuple[Intent, Outcome]:
    """The intent after this attempt. One that failed is due again, later each time; the last failure is final."""
    sent, failed = effect.tried.sent, "; ".join(effect.tried.failures)
    intent = replace(leased, sent=sent, lease_until=None)
    if effect.cancelled:
        gone = Outcome("cancelled", effect.cancelled, effect.began)
        return replace(intent, state="cancelled", outcome=effect.cancelled), gone
    if sent and not (failed and leased.kind in CLOSES):  # a closing is done when it is done everywhere
        by = ", ".join(f"{delivery.to} by {delivery.channel}" for delivery in sent)
        reason = f"{by}, after {failed}" if failed else by
        return replace(intent, state="sent", outcome=reason), Outcome("sent", reason)
    if intent.attempts >= TRIES:
        return replace(intent, state="failed", outcome=failed), Outcome("failed", f"{failed}; given up")
    again = now + min(FIRST_RETRY * 2 ** (intent.attempts - 1), LONGEST_RETRY)
    return replace(intent, not_before=again, outcome=failed), Outcome("failed", f"{failed}; next try {rfc3339(again)}")


def _mail(leased: Intent, effect: _Effect, outcome: Outcome, now: datetime) -> Mail:
    sent = effect.tried.sent
    detail = {
        "to": ", ".join(dict.fromkeys(delivery.to for delivery in sent)) or leased.group,
        "via": ", ".join(dict.fromkeys(delivery.channel for delivery in sent)),
        "purpose": leased.purpose,
        "outcome": outcome.kind,
    }
    return Mail(MailKind.PAGED, now, leased.name, "page", outcome.reason, detail)


def _announce(world: World, incident: Incident, leased: Intent, effect: _Effect, outcome: Outcome) -> None:
    """Count, and wake the incident. What happened is recorded (and published from there): no failure here undoes it."""
    _count(world, incident, leased, effect, outcome)
    try:
        if incident.generation:
            mailbox.wake(world, incident.id)
        if outcome.kind == "sent" and leased.pages:
            _spend(world, effect.people)
    except IncidentBotError:
        world.metrics.count("AnnouncementFailed", purpose=leased.purpose)


def _count(world: World, incident: Incident, leased: Intent, effect: _Effect, outcome: Outcome) -> None:
    world.metrics.count("Message", outcome=outcome.kind, purpose=leased.purpose)
    if outcome.kind == "failed" and leased.pages:
        world.metrics.count("PageFailed", purpose=leased.purpose)
        world.metrics.count("Untold")  # without a dimension, as its alarm watches it
    if any(sent.channel == FALLBACK for sent in effect.tried.sent):
        world.metrics.count("FallbackUsed")
    if outcome.kind == "sent" and leased.purpose == "first":
        waited = (world.now() - incident.opened_at).total_seconds()
        world.metrics.count("SecondsToPage", waited, severity=incident.severity.label)


def _spend(world: World, people: Sequence[str]) -> None:
    """Count the page for each person woken: what one got in this hour bounds escalations, and nothing else."""
    kept_until = int(world.now().timestamp()) + 7200
    for person in people:
        world.store.update(Update(keys.budget(person, world.now()), add={"pages": 1}, set={"ttl": kept_until}))

"""Intake: what `consume` does with a batch of observations of one scope - read, decide, write at once, wake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

from incident_bot.domain.admit import Admission, admit
from incident_bot.domain.classify import holding
from incident_bot.domain.errors import Conflict
from incident_bot.domain.head import Head, Member, without
from incident_bot.domain.incident import Incident
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.opening import FIRST_PAGE, Observation, Opening, first_page
from incident_bot.domain.rulebook import RuleName
from incident_bot.domain.series import News, Series, news
from incident_bot.domain.shape import load
from incident_bot.domain.silent import Settled, settle
from incident_bot.domain.team import Mode
from incident_bot.ingest import deploying, signals, suppression
from incident_bot.ingest.suppression import Applied
from incident_bot.state import controls, heads, incidents, intents, keys, labels, mailbox, series
from incident_bot.world import Item, Key, Shorter, Update, World, Write

LARGEST = 90  # writes in one transaction
ROOMY = 75  # of a batch that is cut: each part has some writes more of its own
TRIES = 12
MERGES = 8  # links followed from an incident that was merged into one that was merged
OPENS = (News.FIRST, News.CHANGE)
TELLS = (*OPENS, News.WORSE)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a batch did: incidents to page and start now, incidents that were told, and each observation's verdict."""

    opened: tuple[str, ...]
    told: tuple[str, ...]
    resumed: tuple[str, ...]
    verdicts: tuple[tuple[str, str, RuleName, str], ...]  # (delivery, incident, rule, why)


def take_in(world: World, scope: str, observations: Sequence[Observation]) -> Taken:
    """Take a batch of one scope in."""
    return _nothing_new(world, scope, observations) or _settled(world, scope, observations)


def _nothing_new(world: World, scope: str, observations: Sequence[Observation]) -> Taken | None:
    """What becomes of a batch that says nothing but what is known, read at half the price; None where it says more.

    A read that lags behind is good enough here: what repeats an older state of a series is late for the present one.
    """
    known = _series(found := _read(world, scope, observations, lagging=True))
    if any(_is_news(known, observation) for observation in observations):
        return None
    head = heads.of(found.get(keys.head(scope), {}))
    admission, writes = _decide(world, scope, suppression.applied(world, scope, found, observations), head, known)
    return None if writes else _taken(world, admission, head)


def _is_news(known: Mapping[str, Series], observation: Observation) -> bool:
    """Whether it may change something; of what is suppressed that is only told by what is read consistently."""
    found = known.get(observation.alert.fingerprint)
    if found and found.muted_by:
        return True
    return found is None or news(found, observation.alert, observation.found.said)[0] in TELLS


def _settled(world: World, scope: str, observations: Sequence[Observation]) -> Taken:
    """Decide and write. Where the writes do not fit one transaction the batch is cut into as many as it takes."""
    for _ in range(TRIES):
        found = _read(world, scope, observations)
        observations = [_remembered(world, found, o) for o in observations]
        head, known = heads.of(found.get(keys.head(scope), {})), _series(found)
        applied = suppression.applied(world, scope, found, observations)
        admission, writes = _decide(world, scope, applied, head, known)
        if len(writes) > LARGEST and len(observations) > 1:
            parts = _cut(observations, 1 + len(writes) // ROOMY)
            return _together([_settled(world, scope, part) for part in parts])
        try:
            if writes:
                world.store.write(writes)
        except Conflict:
            continue
        return _taken(world, admission, head)
    raise Conflict(f"scope {scope} changed {TRIES} times while a batch was decided")


def _cut(observations: Sequence[Observation], parts: int) -> list[Sequence[Observation]]:
    ordered = sorted(observations, key=lambda o: o.alert.occurred_at)
    size = ceil(len(ordered) / min(max(parts, 2), len(ordered)))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def _read(
    world: World, scope: str, observations: Sequence[Observation], *, lagging: bool = False
) -> Mapping[Key, Item]:
    """The scope's head, what is suppressed now, the series of the batch and what people said of each, in one call.

    Where everything is said to be known already, labels and deployments change nothing and are not read for that.
    """
    fingerprints = dict.fromkeys(o.alert.fingerprint for o in observations)
    services = dict.fromkeys(o.found.service for o in observations)
    said = () if lagging else (*map(keys.stat, fingerprints), *map(keys.deploys, services))
    alerts = (keys.alert(scope, f) for f in fingerprints)
    wanted = [keys.head(scope), *suppression.wanted(world, scope, observations), *alerts, *said]
    return world.store.get_many(list(dict.fromkeys(wanted)), lagging=lagging)


def _remembered(world: World, found: Mapping[Key, Item], observation: Observation) -> Observation:
    """The observation with what people said of its series, and what was deployed of its service before it began."""
    tally = labels.tally(found, observation.alert.fingerprint)
    return replace(deploying.following(world, found, observation), tally=tally)


def _series(found: Mapping[Key, Item]) -> dict[str, Series]:
    return {item["fingerprint"]: load(Series, item) for item in found.values() if "fingerprint" in item}


def _decide(
    world: World, scope: str, applied: Applied, head: Head, known: dict[str, Series]
) -> tuple[Admission, list[Write]]:
    elsewhere = _elsewhere(world, {s.incident for s in known.values() if not _shown(head, s)})
    observations = _with_holds(world, known, applied.observations)
    admission = admit(
        observations,
        head=head,
        known=known,
        elsewhere=elsewhere,
        team=world.team,
        now=world.now(),
        new_id=world.new_id,
    )
    silent = _silent(world, admission)
    after = admission.head
    for settled in silent.values():
        after = without(after, settled.after.incident.id) if settled.after.incident.over else after
    writes: list[Write] = [series.write(scope, before, changed) for before, changed in admission.series]
    writes += [*applied.writes, *suppression.noted(world, observations, admission.muted)]
    if admission.verdicts and (after != head or admission.mail or admission.openings):
        writes.append(heads.write(scope, head, after))
        writes += _incident_writes(world, admission, silent)
    return admission, writes


def _with_holds(world: World, known: Mapping[str, Series], observations: Sequence[Observation]) -> list[Observation]:
    """Note for how long a playbook may hold the page of what could open an incident: not with the kill switch on."""
    could = [o for o in observations if o.found.pages and news(known.get(o.alert.fingerprint), o.alert)[0] in OPENS]
    if not could or not any(p.hold_page_seconds for p in world.team.playbooks):
        return list(observations)
    engaged, earned = controls.automation(world.store)
    return list(observations) if engaged else [_held(world, earned, o) if o in could else o for o in observations]


def _held(world: World, earned: Mapping[str, Mode], observation: Observation) -> Observation:
    playbook = holding(observation.found, world.team, earned)
    if playbook is None:
        return observation
    reason = f"playbook {playbook.name} may fix it unattended"
    return replace(observation, hold_seconds=playbook.hold_page_seconds, hold_reason=reason)


@dataclass(frozen=True, slots=True)
class _Silent:
    """An incident without an execution, as it was (None: it opens in this batch) and as its mail makes it."""

    before: Incident | None
    after: Settled


def _silent(world: World, admission: Admission) -> dict[str, _Silent]:
    """Decide the mail of incidents that have no execution to decide it."""
    found: dict[str, _Silent] = {}
    opened = {o.incident.id: o.incident for o in admission.openings}
    for identifier, mails in admission.mail.items():
        if identifier not in admission.silent:
            continue
        promote = identifier in admission.promoted
        before = None if identifier in opened else incidents.read(world.store, identifier)
        settled = settle(before or opened[identifier], mails, world.team, world.now(), promote=promote)
        found[identifier] = _Silent(before, settled)
    return found


def _shown(head: Head, known: Series) -> bool:
    """Whether the head shows the series' group in the incident that the series names."""
    group = head.groups.get(known.group)
    return bool(group and group.incident == known.incident)


def _elsewhere(world: World, identifiers: set[str]) -> dict[str, Incident]:
    """The incidents of known series that the head does not show; of merged ones, what they were merged into."""
    found: dict[str, Incident] = {}
    wanted, asked = set(identifiers), set[str]()
    for _ in range(1 + MERGES):
        if not wanted:
            break
        found |= incidents.read_many(world.store, wanted)
        asked |= wanted
        wanted = {incident.merged_into for incident in found.values() if incident.merged_into} - asked
    ends = {identifier: _merged(found, identifier) for identifier in identifiers}
    return {identifier: incident for identifier, incident in ends.items() if incident}


def _merged(found: Mapping[str, Incident], identifier: str) -> Incident | None:
    """The incident, or the one that it was merged into in the end; None where that is missing."""
    incident = found.get(identifier)
    for _ in range(MERGES):
        if incident and incident.merged_into:
            incident = found.get(incident.merged_into)
    return incident


def _incident_writes(world: World, admission: Admission, silent: Mapping[str, _Silent]) -> list[Write]:
    writes: list[Write] = []
    for opening in admission.openings:
        mails = admission.mail.get(opening.incident.id, ())
        writes += _opening_writes(world, opening, mails, silent.get(opening.incident.id))
    opened = {opening.incident.id for opening in admission.openings}
    for identifier, mails in admission.mail.items():
        decided = silent.get(identifier)
        if decided and decided.before:
            _, changes = incidents.changing(world, decided.before, decided.after.incident, decided.after.lines)
            writes += [*changes, *_page_writes(world, decided.after)]
        elif identifier not in opened:
            writes.append(_mail(world, identifier, mails))
    return writes


def _mail(world: World, identifier: str, mails: Sequence[Mail]) -> Update:
    """Mail into a box; one that is full only notes that everything is to be looked at."""
    box = world.store.get(keys.box(identifier)) or {}
    full = len(box.get("entries", ())) + len(mails) > mailbox.FULL
    update = mailbox.posting(world, identifier, mails, full=full)
    return update if full else replace(update, expect={"entries": Shorter(mailbox.FULL + 1)})


def _opening_writes(world: World, opening: Opening, mails: Sequence[Mail], decided: _Silent | None) -> list[Write]:
    incident, lines, not_before = opening.incident, list(opening.lines), opening.not_before
    if decided:
        incident, lines, mails = decided.after.incident, [*lines, *decided.after.lines], ()
        not_before = decided.after.not_before if decided.after.page == "now" else not_before
    incident, writes = incidents.opening(world, incident, lines)
    writes.append(mailbox.opening(world, incident.id, mails))
    if (opening.pages or (decided and decided.after.page == "now")) and not incident.over:
        writes.append(intents.opening(first_page(incident, opening.page_reason, not_before), world.now()))
    return writes


def _page_writes(world: World, settled: Settled) -> list[Write]:
    """The held page of an incident without an execution: out at once, or never."""
    found = {i.name: i for i in intents.of(world.store, settled.incident.id)}.get(FIRST_PAGE)
    if settled.page == "now":
        intent = found or first_page(settled.incident, settled.reason)
        return [
            intents.changing(
                replace(intent, severity=settled.incident.severity, not_before=settled.not_before or world.now()),
                found,
                world.now(),
            )
        ]
    if settled.page == "never" and found and found.state == "pending":
        return [intents.changing(replace(found, state="cancelled", outcome=settled.reason), found, world.now())]
    return []


def _taken(world: World, admission: Admission, before: Head) -> Taken:
    opened = tuple(o.incident.id for o in admission.openings if o.incident.generation) + admission.promoted
    told = tuple(i for i in admission.mail if i not in opened)
    for opening in admission.openings:
        if opening.not_before and not opening.incident.generation:
            _remind(world, opening.incident.id, opening.not_before)
    for identifier in told:
        if identifier not in admission.silent:
            _wake(world, identifier, admission.mail[identifier], before)
    return Taken(opened, told, admission.resume, admission.verdicts)


def _remind(world: World, identifier: str, at: datetime) -> None:
    """What has no execution yet is looked at when its hold ends, not only by the next `sweep`."""
    delay = ceil((at - world.now()).total_seconds())
    world.queue.send([signals.deadline(identifier)], delay_seconds=max(delay, 0))


def _wake(world: World, identifier: str, mails: Sequence[Mail], before: Head) -> None:
    member = before.incidents.get(identifier)
    if member is None or not all(_can_wait(mail, member) for mail in mails):
        mailbox.wake(world, identifier)
    elif pause := mailbox.alerted(world, identifier, mails):
        world.queue.send([signals.deadline(identifier)], delay_seconds=ceil(pause.total_seconds()))


def _can_wait(mail: Mail, member: Member) -> bool:
    """Whether the mail only tells of one more alert, or one less: nothing that pages."""
    return mail.kind is MailKind.ALERT and int(mail.detail["severity"]) >= member.severity


def _together(parts: Sequence[Taken]) -> Taken:
    return Taken(
        tuple(i for part in parts for i in part.opened),
        tuple(i for part in parts for i in part.told),
        tuple(i for part in parts for i in part.resumed),
        tuple(verdict for part in parts for verdict in part.verdicts),
    )

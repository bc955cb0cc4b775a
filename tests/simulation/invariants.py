"""What must hold however an account was mistreated, once faults have stopped and repairs had their time."""

from collections.abc import Iterator

from incident_bot.actor.execution import finished, name_of
from incident_bot.domain.alert import Status
from incident_bot.domain.timeline import flaws
from incident_bot.state import actions, heads, incidents, keys, series
from tests.simulation.stage import Account, last_words

SCOPE = "production"


def broken(account: Account) -> list[str]:
    """Every invariant that does not hold, in words; the numbers are those of the fault table."""
    checks = (_states, _lost, _membership, _executions, _pages, _timelines, _mail, _drafts)
    return [flaw for check in checks for flaw in check(account)]


def _states(account: Account) -> Iterator[str]:
    """3, 4: a series ends in the state of its last word by source time, whatever came twice, late or out of order."""
    known = {s.fingerprint: s for s in series.of(account.world.store, SCOPE)}
    for fingerprint, alert in last_words(account.sent).items():
        if fingerprint not in known:
            yield f"3: {alert.title} of {alert.service} was lost"
        elif known[fingerprint].status != alert.status:
            yield f"4: {alert.title} of {alert.service} is {known[fingerprint].status}, its last word: {alert.status}"


def _lost(account: Account) -> Iterator[str]:
    """10, 18: nothing is buried in the dead-letter queue by faults that pass."""
    for message in account.world.queue.dead:
        yield f"10: {message.id} is in the dead-letter queue"


def _membership(account: Account) -> Iterator[str]:
    """9, 21, 22: a firing series belongs to exactly one incident, which is open; the head knows only open incidents."""
    head = heads.read(account.world.store, SCOPE)
    found = {incident.id: incident for incident in account.incidents()}
    for name in head.incidents:
        if name not in found or found[name].over:
            yield f"22: the head holds {name}, which is not open"
    for known in series.of(account.world.store, SCOPE):
        group = head.groups.get(known.group)
        owner = group.incident if group else known.incident
        if known.status is Status.FIRING and (owner not in found or found[owner].over):
            yield f"22: {known.title} of {known.service} fires and belongs to no open incident"
    for incident in found.values():
        if not incident.over and incident.id not in head.incidents:
            yield f"22: {incident.id} is open and not on the head"


def _executions(account: Account) -> Iterator[str]:
    """9, 11, 13: every incident that needs one has exactly one running execution, that of its generation."""
    running = [
        e for e in account.world.machines.executions.values() if e.status == "RUNNING" and e.machine == "incident"
    ]
    for incident in account.incidents():
        names = [e.name for e in running if e.payload["incident"] == incident.id]
        if incident.over and not incident.clocks and not names:
            continue  # nothing is due of it; what comes by mail revives it
        wanted = [] if finished(incident) or not incident.generation else [name_of(incident)]
        if names != wanted:
            yield f"11: {incident.id} ({incident.state}, generation {incident.generation}) is run by {names}"


def _pages(account: Account) -> Iterator[str]:
    """1, 2, 5: one alert at the provider per incident; none left behind; everything that fires is paged."""
    found = {incident.id: incident for incident in account.incidents()}
    opens = [woken.key for woken in account.pager.woken]  # an escalation is a page of its own: `<incident>.<intent>`
    for incident in found.values():
        if opens.count(incident.id) > 1:
            yield f"1: {incident.id} woke somebody {opens.count(incident.id)} times"
        told = any(incident.id in text for _, text in account.world.notices.published)  # no channel took it
        known = incident.id in opens or told or incident.acknowledged_by
        if not incident.over and not incident.noise and incident.firing and not known:
            yield f"2: {incident.id} fires and nobody was woken"
    for key in account.pager.open:
        incident_id = key.split(".")[0]
        half_done = any(a.state in ("suspended", "partial") for a in actions.of(account.world.store, incident_id))
        if (incident_id not in found or found[incident_id].over) and not half_done:
            yield f"22: the page {key} is still open at the provider, the incident is not"


def _timelines(account: Account) -> Iterator[str]:
    """Every timeline is whole."""
    for incident in account.incidents():
        entries = incidents.timeline(account.world.store, incident.id)
        yield from (f"timeline of {incident.id}: {flaw}" for flaw in flaws(entries, incident.seq, incident.head))


def _drafts(account: Account) -> Iterator[str]:
    """2: every incident that closed by itself has its draft."""
    for incident in account.incidents():
        ended_alone = incident.over and incident.generation and not incident.merged_into
        if ended_alone and account.world.store.get(keys.postmortem(incident.id)) is None:
            yield f"2: {incident.id} is resolved and its postmortem was never drafted"


def _mail(account: Account) -> Iterator[str]:
    """No mail stays unread in an incident that goes on."""
    for incident in account.incidents():
        item = account.world.store.get((f"INC#{incident.id}", "BOX")) or {}
        if not finished(incident) and incident.generation and int(item.get("number", 0)) > incident.mail_taken:
            yield f"7: mail of {incident.id} is unread"

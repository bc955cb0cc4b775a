"""Alerts that say what is known already: most of them change nothing, and which of them do."""

from dataclasses import replace
from datetime import timedelta

from incident_bot.domain.alert import Status
from incident_bot.domain.batch import Batch, Verdict
from incident_bot.domain.confidence import scored
from incident_bot.domain.connect import connect
from incident_bot.domain.firing import anew, fires, join
from incident_bot.domain.gather import NEW
from incident_bot.domain.opening import Observation
from incident_bot.domain.series import RULES, News, Series, begun_late, heard
from incident_bot.domain.suppress import UNMUTED
from incident_bot.domain.telling import BELATED, alert_mail


def says_again(batch: Batch, observed: Observation, known: Series, kind: News, why: str) -> Verdict:
    """An alert that is no change of its series."""
    home, redelivered = batch.home(known), known.delivery == observed.delivery
    if kind is News.LATE and (joined := _belated(batch, observed, known, home)):
        return joined, "belated-firing", f"{why}: it counts for that incident, and wakes nobody"
    if observed.alert.status is Status.FIRING and kind in (News.WORSE, News.REPEAT):
        if kind is News.REPEAT and home and anew(batch, observed, known, home):
            return fires(batch, observed, known)
        if home is None and not redelivered:
            incident, *_ = fires(batch, observed, known)
            return incident, "source-insists", f"{why}, but its incident is over: its source insists"
        if home and (kind is News.WORSE or _strays(batch, observed, known, home, redelivered=redelivered)):
            return _told(batch, observed, known, (home, RULES[kind], why))
    if redelivered and home and home not in batch.openings:
        batch.resume[home] = None
    if kind is News.REPEAT and not (redelivered and known.muted_until):
        _hear(batch, observed, known)
    return home or known.incident, RULES[kind], why


def _told(batch: Batch, observed: Observation, known: Series, verdict: Verdict) -> Verdict:
    """It enters the incident of its group (anew), which is told."""
    home = verdict[0]
    verdict = (home, "unmuted", UNMUTED) if known.muted_by and not observed.found.noise else verdict
    observed = scored(observed, batch.head, batch.topology, batch.team)
    batch.enter(observed, known.group, home)
    batch.tell(observed, known.group, verdict)
    return verdict


def _strays(batch: Batch, observed: Observation, known: Series, home: str, *, redelivered: bool) -> bool:
    """Whether a repeat is news to the incident of its group: its own ended without it, and another series opened
    this one; or it was recorded here as noise, which it is not (any more); or what suppressed it is over."""
    if known.muted_by and observed.suppressed_otherwise(known.muted_by):
        return True
    member, own = batch.incidents.get(home), batch.elsewhere.get(known.incident)
    left_behind = bool(own and own.over and own.id != home)
    noise_no_more = bool(member and member.noise and not observed.found.noise)
    return not redelivered and (left_behind or noise_no_more)


def _belated(batch: Batch, observed: Observation, known: Series, home: str | None) -> str:
    """The incident for which a firing counts that was over before it was heard of: one that was as bad as it says,
    or that explains a series of which only the resolve was known; empty where there is none."""
    if observed.alert.status is not Status.FIRING or observed.found.noise:
        return ""
    new = home is None and not known.flips
    if new:
        found = connect(observed, batch.head, batch.topology, batch.team, batch.now, again=False)
        home = found.placement.incident
        if home == NEW:
            return ""
        batch.learn_kinds(found.kinds)
        join(batch, replace(found, group=replace(found.group, firing=found.group.firing - 1)), batch.member(home).root)
        known = begun_late(known, observed.alert, found.name, home)
        batch.series[known.fingerprint] = known
    if home is None or not (new or observed.found.severity < batch.member(home).severity):
        return ""
    member = batch.member(home)
    batch.incidents[home] = replace(member, severity=min(member.severity, observed.found.severity))
    batch.post(
        home,
        alert_mail(
            observed, known, batch.now, group=known.group, joined=BELATED, rule="belated-firing", new=new, late=True
        ),
    )
    return home


def _hear(batch: Batch, observed: Observation, known: Series) -> None:
    """A repeat writes its own item at most: where it is the newer word (what is older than it is late from then
    on), where its series was not heard of for some time, or where it is suppressed and how it is repeated will tell
    whether it still fires at the end."""
    fresh = timedelta(seconds=batch.team.timing.stale_after / 4)
    suppressed_yet = known.muted_until and observed.alert.status is Status.FIRING
    if suppressed_yet or observed.alert.occurred_at > known.occurred_at or batch.now - known.seen_at > fresh:
        batch.series[known.fingerprint] = heard(known, observed.alert, batch.now)

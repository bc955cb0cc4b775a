"""Transients: how much longer the page of an alert waits that may clear by itself, however often it comes and goes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from incident_bot.domain.alert import Severity
from incident_bot.domain.classify import Classification
from incident_bot.domain.head import Member
from incident_bot.domain.opening import Observation
from incident_bot.domain.rulebook import RuleName
from incident_bot.domain.series import FLAPS_FROM, FLIPS_KEPT, HOUR, Series

SPELL = 60  # seconds: firings nearer than this, or than twice the hold, are one spell


def steadied(observed: Observation, known: Series | None) -> Observation:
    """The observation with what is left of its rule's hold; what comes and goes does not begin it anew.

    A critical alert (Sev1) that flaps is no transient: its page waits no longer.
    """
    found, at = observed.found, observed.alert.occurred_at
    if not found.hold_seconds or known is None:
        return observed
    if found.severity is Severity.SEV1 and _flaps(known.flips, at):
        return _changed(
            observed, 0, "critical-flap", f"it fires for the {len(known.flips) + 1}. time in an hour: no transient"
        )
    spell = _spell(known.flips, at, max(SPELL, 2 * found.hold_seconds))
    waited = int((at - spell[0]).total_seconds()) if spell else 0
    if not waited:
        return observed
    left = max(0, found.hold_seconds - waited) if len(spell) < FLIPS_KEPT else 0
    return _changed(observed, left, "spell", f"it has come and gone for {waited} s, which counts")


def agrees(severity: Severity, *, second: bool) -> bool:
    """Whether one more alert, held or not, ends the hold of an incident that is so severe together with it: a second
    series of a critical one does."""
    return second and severity is Severity.SEV1


def needs_execution(member: Member, found: Classification, *, second: bool) -> bool:
    """Whether an incident without an execution comes to need one: noise that is joined by what is none, and a held page
    that another alert agrees with or that gets worse."""
    if member.actor or found.noise:
        return False
    if member.noise or agrees(min(member.severity, found.severity), second=second):
        return True
    return found.pages and (not found.hold_seconds or found.severity < member.severity)


def _flaps(flips: Sequence[datetime], at: datetime) -> bool:
    return sum(at - flip < HOUR for flip in flips) + 1 >= FLAPS_FROM


def _spell(flips: Sequence[datetime], at: datetime, pause: float) -> list[datetime]:
    """The firings of the spell in which the series comes and goes without a longer pause, the oldest first.

    As many as are remembered: then nobody knows how long it lasts.
    """
    found: list[datetime] = []
    for flip in sorted((f for f in flips if f <= at), reverse=True):
        if ((found[-1] if found else at) - flip).total_seconds() > pause:
            break
        found.append(flip)
    return found[::-1]


def _changed(observed: Observation, hold: int, rule: RuleName, why: str) -> Observation:
    found = observed.found
    waits = f"its page waits {hold} s more" if hold else "its page waits no more"
    reason = f"{found.reason}; {waits}: {why}" if found.pages else found.reason
    return replace(observed, found=replace(found, hold_seconds=hold, reason=reason, hold_by=rule))

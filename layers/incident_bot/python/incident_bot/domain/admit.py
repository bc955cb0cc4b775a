"""Admission: what a batch of alerts does to the series, the head and the incidents of one scope, decided in one go."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from incident_bot.domain.alert import Status
from incident_bot.domain.batch import Batch, Verdict
from incident_bot.domain.ending import ends
from incident_bot.domain.firing import fires
from incident_bot.domain.head import Head
from incident_bot.domain.incident import Incident
from incident_bot.domain.known import says_again
from incident_bot.domain.mail import Mail
from incident_bot.domain.opening import Observation, Opening
from incident_bot.domain.rulebook import RuleName
from incident_bot.domain.series import News, Series, news
from incident_bot.domain.suppress import Suppressed
from incident_bot.domain.team import Team


@dataclass(frozen=True, slots=True)
class Admission:
    """What the batch does. `series` are (before, after) pairs to write; `mail` is per incident, in order.

    The mail of `silent` incidents, which have no execution, is decided by the consumer. `promoted` names those of them
    that need an execution from now on. `resume` names incidents whose last change came by a delivery that is here
    again: what it left undone is to be done.
    """

    head: Head
    series: tuple[tuple[Series | None, Series], ...] = ()
    openings: tuple[Opening, ...] = ()
    mail: Mapping[str, tuple[Mail, ...]] = field(default_factory=dict)
    silent: tuple[str, ...] = ()
    promoted: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    muted: tuple[Suppressed, ...] = ()  # for the ledger
    verdicts: tuple[tuple[str, str, RuleName, str], ...] = ()  # (delivery, incident, rule, why) of every observation


def admit(
    observations: Sequence[Observation],
    *,
    head: Head,
    known: Mapping[str, Series],
    elsewhere: Mapping[str, Incident],
    team: Team,
    now: datetime,
    new_id: Callable[[], str],
) -> Admission:
    """Decide for a whole batch of one scope.

    `known` is what the table said of the batch's series; `elsewhere` holds the incidents that known series name and
    whose groups the head does not show there, by the named id (of one that was merged: what it was merged into).
    """
    batch = Batch(head=head, known=known, elsewhere=elsewhere, team=team, now=now, new_id=new_id)
    ordered = sorted(observations, key=lambda o: _order(o, known.get(o.alert.fingerprint)))
    verdicts = tuple((observed.delivery, *_admitted(batch, observed)) for observed in ordered)
    changed = ((known.get(f), series) for f, series in batch.series.items() if series is not known.get(f))
    return Admission(
        head=batch.head,
        series=tuple((before, _one_up(before, series)) for before, series in changed),
        openings=tuple(batch.openings.values()),
        mail={incident: tuple(mails) for incident, mails in batch.mail.items()},
        silent=tuple(incident for incident in batch.mail if not batch.acts(incident)),
        promoted=tuple(batch.promoted),
        resume=tuple(batch.resume),
        muted=tuple(batch.muted.values()),
        verdicts=verdicts,
    )


def _order(observed: Observation, known: Series | None) -> tuple[bool, datetime, bool]:
    """By the source's own time; what is late anyway comes last, as it may belong to what its neighbours open."""
    alert = observed.alert
    late = known is not None and news(known, alert)[0] is News.LATE
    return late, alert.occurred_at, alert.status is not Status.FIRING


def _admitted(batch: Batch, observed: Observation) -> Verdict:
    """Take one observation into the batch."""
    alert = observed.alert
    known = batch.series.get(alert.fingerprint)
    kind, why = news(known, alert, observed.found.said)
    if known and kind not in (News.FIRST, News.CHANGE):
        return says_again(batch, observed, known, kind, why)
    found = fires(batch, observed, known) if alert.status is Status.FIRING else ends(batch, observed, known)
    batch.learn_clock(observed)
    return found


def _one_up(before: Series | None, series: Series) -> Series:
    """Several changes in one batch are one write."""
    version = before.version + 1 if before else 1
    return series if series.version == version else replace(series, version=version)

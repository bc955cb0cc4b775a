"""Telling an incident of an alert: the mail with all that its actor, or whoever acts for it, needs to decide."""

from collections.abc import Mapping
from datetime import datetime

from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.opening import Observation, muting, said
from incident_bot.domain.plaintext import line
from incident_bot.domain.rulebook import RuleName
from incident_bot.domain.series import Series

BELATED = "it was over before it was heard of"


def alert_mail(
    observed: Observation,
    series: Series,
    now: datetime,
    *,
    group: str,
    joined: str,
    rule: RuleName,
    new: bool = False,
    late: bool = False,
) -> Mail:
    """The mail of an alert, `series` being what is known with it; `joined` says why it is in that incident, and
    `rule` by which; `late` that
    it tells of a firing which was over before it was heard of."""
    alert, found, score = observed.alert, observed.found, observed.score
    detail = {
        "status": (series if late else alert).status.value,
        "group": group,
        "title": line(alert.title),
        "source": alert.source,
        "since": rfc3339(alert.started_at),
        "service": found.service,
        "resource": alert.resource,
        "ask": alert.ask,
        "severity": str(int(found.severity)),
        "pages": "yes" if found.pages and not late else "",
        "hold": str(found.hold_seconds or ""),
        "noise": "yes" if found.noise else "",
        "why": found.reason,
        "severity_by": found.severity_by,
        "level_by": found.level_by,
        "apart": observed.apart,
        "rhythm": str(series.rhythm),
        "pause": str(series.pause),
        "joined": joined,
        "joined_by": rule,
        "new": "yes" if new else "",
        "late": "yes" if late else "",
        "playbooks": ",".join(found.playbooks),
        **({"confidence": str(score.value), "evidence": score.text} if score else {}),
        **_muting(observed),
    }
    return Mail(MailKind.ALERT, now, alert.fingerprint, alert.source, said(alert), detail)


def lost_mail(known: Series, now: datetime) -> Mail:
    """The mail of a series that fires anew elsewhere, though its source never said that it was over."""
    detail = {"status": Status.RESOLVED.value, "severity": str(int(known.severity or Severity.SEV5)), "rhythm": "0"}
    detail |= {"joined_by": "lost-resolve"}
    text = f"{known.source} says {known.title} fires anew: its resolve was lost"
    return Mail(MailKind.ALERT, now, known.fingerprint, known.source, text, detail)


def _muting(observed: Observation) -> Mapping[str, str]:
    """What the incident writes down of an alert that is suppressed."""
    if observed.muted is None:
        return {}
    written = muting(observed.muted)
    return {"muted": written.text, "muted_by": written.reason, "muted_rule": written.rule}

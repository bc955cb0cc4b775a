"""Storms: from how many pages on a team gets one for all that follow, which keeps counting, and until when.

Beyond the rate, an incident's own page becomes part of its team's summary: an incident itself, with an acknowledgement,
an escalation and an end of its own. Nothing is dropped: each incident is there, and says what became of its page.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from incident_bot.domain.alert import Severity
from incident_bot.domain.incident import Firing, Incident, State
from incident_bot.domain.intent import Intent
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.owner import frozen
from incident_bot.domain.plaintext import line
from incident_bot.domain.rulebook import RuleName, grounds
from incident_bot.domain.team import StormMode, Team

KIND = "storm"
SERIES = "storm"  # the one series that a summary lists, by its fingerprint
LOOK_AGAIN = timedelta(minutes=5)  # after which a summary is asked whether anything of it is still open
MEMBERS_KEPT = 400
CRITICAL_KEPT = 100  # services that are known to be at Sev1; beyond, the oldest is forgotten and may be told again
NAMED = 8
ALWAYS_ALONE = ("undo",)  # tells one person to put one thing right


@dataclass(frozen=True, slots=True)
class Storm:
    """A team's pages of late. `recent` says when the last ones were to go out, alone or not.

    While a storm lasts `incident` is its summary, `severity` the worst that people were told there, `count` how many
    incidents' pages are part of it, `told` the count that it said last; `members` are the first of them, and `named`
    the first few in words. `critical` are the services of which the summary told that they are at Sev1.
    """

    recent: tuple[datetime, ...] = ()
    incident: str = ""
    severity: Severity = Severity.SEV5
    count: int = 0
    told: int = 0
    members: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    critical: tuple[str, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a page: it goes out by itself (`alone`), or is part of `storm.incident`, which it `begins`, or
    which has something new to say (`tells`). `critical` is the service that is at Sev1 for the first time in it.
    `ended` is a former storm that is over."""

    storm: Storm
    alone: bool
    rule: RuleName
    begins: bool = False
    tells: bool = False
    critical: str = ""
    ended: Storm | None = None


def counts(incident: Incident, intent: Intent) -> bool:
    """Whether a page may be part of a summary: one that asks somebody for something certain is not, nor a summary."""
    return incident.kind != KIND and intent.purpose not in ALWAYS_ALONE and not intent.details.get("approval")


def lasts(storm: Storm, now: datetime, by: StormMode) -> bool:
    """Whether as many pages as a team gets singly were to go out within the window."""
    since = now - timedelta(seconds=by.window_seconds)
    return sum(1 for at in storm.recent if at > since) >= by.pages


def decide(
    storm: Storm,
    incident: Incident,
    severity: Severity,
    by: StormMode,
    now: datetime,
    *,
    new_id: str,
    part: bool = False,
) -> Verdict:
    """Count a page of that incident, as bad as that; `part`: its own record says that it is part of this summary.

    What is worse than a storm's summary is told there at once, and so is the first Sev1 of each service.
    """
    counted = replace(storm, recent=(*storm.recent, now)[-by.pages :], version=storm.version + 1)
    if not lasts(storm, now, by):
        fresh = Storm(recent=counted.recent, version=counted.version)
        return Verdict(fresh, alone=True, rule="below-storm-rate", ended=storm if storm.incident else None)
    begins = not storm.incident
    if begins:
        counted = replace(counted, incident=new_id, told=1)
    if not part and incident.id not in counted.members:
        counted = replace(
            counted,
            count=counted.count + 1,
            members=(*counted.members, incident.id)[:MEMBERS_KEPT],
            named=(*counted.named, _named(incident, severity))[:NAMED],
        )
    critical = incident.service if severity is Severity.SEV1 and incident.service not in counted.critical else ""
    if critical:
        counted = replace(counted, critical=(*counted.critical, critical)[-CRITICAL_KEPT:])
    worse = severity < counted.severity
    tells = not begins and (worse or bool(critical) or counted.count >= 2 * counted.told)
    if begins or tells:
        counted = replace(counted, severity=min(severity, counted.severity), told=counted.count)
    rule = _rule(begins=begins, worse=tells and worse, critical=bool(critical), tells=tells)
    return Verdict(counted, alone=False, rule=rule, begins=begins, tells=tells, critical=critical)


def _rule(*, begins: bool, worse: bool, critical: bool, tells: bool) -> RuleName:
    if begins:
        return "storm-summary"
    if worse:
        return "storm-worse"
    if critical:
        return "storm-sev1"
    return "storm-doubled" if tells else "storm-part"


def remembers(storm: Storm) -> bool:
    """Whether the storm itself still knows all that is part of it; beyond, each incident's own record tells."""
    return len(storm.members) < MEMBERS_KEPT


def title(storm: Storm, group: str) -> str:
    """What the summary is called: it counts."""
    return f"{storm.count} more incident{'' if storm.count == 1 else 's'} of {group} would page"


def summary(storm: Storm, by: StormMode) -> str:
    """What the summary says of them."""
    more = f"; and {storm.count - len(storm.named)} more" if storm.count > len(storm.named) else ""
    every = f"more than {by.pages} pages within {by.window_seconds} s"
    return f"{every}, so this one stands for the pages of: {'; '.join(storm.named)}{more}. All: incidentbot list"


def opened(storm: Storm, cause: Incident, group: str, team: Team, now: datetime) -> Incident:
    """The summary as an incident, which begins with the page of `cause`."""
    said = title(storm, group)
    return Incident(
        id=storm.incident,
        scope=cause.scope,
        state=State.DETECTED,
        severity=storm.severity,
        service=KIND,
        title=said,
        opened_at=now,
        started_at=now,
        owner=group,
        environment=cause.environment,
        summary=summary(storm, team.storm),
        category=KIND,
        kind=KIND,
        config_digest=team.digest,
        generation=1,
        alerts=storm.count,
        escalation=frozen(group, team),
        firing={SERIES: series(said, group, storm.severity, now, now)},
        clocks={"start": now, "stale": now + LOOK_AGAIN},
    )


def series(said: str, group: str, severity: Severity, since: datetime, now: datetime) -> Firing:
    """What a summary lists as firing while its storm lasts, or anything of it is open. `ask` is the team."""
    return Firing("", said, KIND, since, now, severity, KIND, ask=group)


def grown(verdict: Verdict, group: str, by: StormMode, now: datetime) -> Mail:
    """What a summary is told when it has something new to say."""
    storm = verdict.storm
    detail = {
        "count": str(storm.count),
        "severity": str(int(storm.severity)),
        "summary": summary(storm, by),
        "critical": verdict.critical,
        "rule": verdict.rule,
    }
    return Mail(MailKind.STORM, now, group, KIND, title(storm, group), detail)


def goes_on(storm: Storm, members: Iterable[Incident], now: datetime, by: StormMode) -> tuple[bool, str]:
    """Whether a summary is still needed, and why: pages pour in, or an incident that it stands for still fires."""
    if lasts(storm, now, by):
        return True, grounds("storm-lasts", f"{by.pages} pages within {by.window_seconds} s")
    fire = sum(1 for member in members if not member.over and member.state is not State.MITIGATED)
    if fire:
        return True, grounds("storm-fires", f"{fire} of its incidents still fire")
    return False, grounds("storm-over", "none of its incidents fires any more")


def recounted(summary_so_far: Incident, storm: Storm, by: StormMode) -> Incident:
    """The summary with the count as it is now."""
    said = title(storm, summary_so_far.owner)
    firing = {name: replace(one, title=said) for name, one in summary_so_far.firing.items()}
    return replace(summary_so_far, title=said, summary=summary(storm, by), alerts=storm.count, firing=firing)


def _named(incident: Incident, severity: Severity) -> str:
    return line(f"{severity.label.capitalize()} {incident.service}: {incident.title} ({incident.id})", 160)

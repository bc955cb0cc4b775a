"""Classification: which service an alert is about, how bad it is, and whether somebody is to be woken for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from incident_bot.domain.alert import Alert, Severity
from incident_bot.domain.burn import burn_rate
from incident_bot.domain.match import fields_of, matches
from incident_bot.domain.plaintext import line
from incident_bot.domain.rulebook import RuleName
from incident_bot.domain.team import Mode, Playbook, Rule, Service, Team

UNKNOWN_SERVICE = "unknown"
BY_TIER = {1: Severity.SEV2, 2: Severity.SEV3, 3: Severity.SEV4}


class Level(NamedTuple):
    """Whether something wakes somebody, the rule by which, and why."""

    wakes: bool
    rule: RuleName
    why: str


@dataclass(frozen=True, slots=True)
class Classification:
    """What follows from the configuration and the alert alone; `reason` says which rule or default decided.

    `severity_by` and `level_by` name the rules by which it is so severe, and by which it pages, or is a
    ticket or a record.
    """

    service: str
    owner: str
    environment: str
    severity: Severity
    category: str
    pages: bool
    noise: bool
    hold_seconds: int
    rule: str
    reason: str
    severity_by: RuleName
    level_by: RuleName
    rated: Severity | None = None  # what rule, source or tier say of its severity, where evidence says otherwise
    burn: float = 0.0  # how many times as fast as it would last an error budget burns; 0.0: the alert does not say
    assumed: bool = False  # neither a rule nor its source says how severe it is
    hold_by: RuleName | Literal[""] = ""  # by which its hold is another one than its rule says
    playbooks: tuple[str, ...] = ()  # the names of those whose matchers fit, in the configured order

    @property
    def said(self) -> Severity:
        """Its severity by rule, source or tier alone: what a repeat says again."""
        return self.rated or self.severity

    @property
    def rules(self) -> str:
        """The names of the rules that `reason` tells of."""
        return ", ".join(dict.fromkeys(rule for rule in (self.severity_by, self.level_by, self.hold_by) if rule))


def classify(alert: Alert, team: Team) -> Classification:
    """Classify by the first rule that matches, then by what the source said, then by the service's tier."""
    named = named_service(alert.service, alert.resource, alert.title, team)
    fields = fields_of(alert, named)
    rule = next((r for r in team.rules if matches(r.when, fields)), None)
    name = (rule and rule.service) or named
    service = team.services.get(name)
    severity, decided, because = _severity(alert, rule, service)
    burn = burn_rate(alert.labels, team.confidence.burn_labels)
    if burn > team.confidence.burn_at:
        severity, decided, because = _burning(severity, decided, because, rule, burn)
    assumed = not (alert.severity or (rule and rule.severity))
    noise = bool(rule and rule.noise)
    record = _record(severity, team, assumed=assumed) if not noise else None
    wakes, level, why = record or pages(severity, service, noise=noise)
    category = rule.category if rule else ""
    fields |= {"service": name, "severity": severity.label, "category": category}
    return Classification(
        service=name,
        owner=service.owner if service else team.default_group,
        environment=service.environment if service else "production",
        severity=severity,
        category=category,
        pages=wakes,
        noise=noise or bool(record),
        hold_seconds=rule.hold_seconds if rule else 0,
        rule=rule.name if rule else "",
        reason=f"{severity.label} {because}; {why}",
        severity_by=decided,
        level_by=level,
        burn=burn,
        assumed=assumed,
        playbooks=tuple(p.name for p in team.playbooks if matches(p.when, fields)),
    )


def holding(found: Classification, team: Team, modes: Mapping[str, Mode]) -> Playbook | None:
    """The full-mode playbook that may fix this unattended and so may hold the page; `modes` are earned at run time."""
    first = next((p for p in team.playbooks if p.name in found.playbooks), None)
    if first is None or modes.get(first.name, first.mode) is not Mode.FULL:
        return None
    return first if first.hold_page_seconds else None


def playbook_fields(alert: Alert, found: Classification) -> dict[str, str]:
    """What a playbook's `when` may name: an alert's fields, with the severity and category that were decided."""
    return {**fields_of(alert, found.service), "severity": found.severity.label, "category": found.category}


def named_service(name: str, resource: str, title: str, team: Team) -> str:
    """The configured service of that name, or whose resource that is, or whose alarms' names the title begins with."""
    if name in team.services:
        return name
    for service in team.services.values():
        if any(_on(resource, own.arn) for own in service.resources):
            return service.name
    prefixes = {p: s.name for s in team.services.values() for p in s.alarms if title.startswith(p)}
    if prefixes:
        return prefixes[max(prefixes, key=len)]
    return line(name) or UNKNOWN_SERVICE


def _on(resource: str, arn: str) -> bool:
    """Whether the resource is that ARN's or a part of it; `function:pay` is no part of `function:payroll`."""
    return resource == arn or resource.startswith((f"{arn}:", f"{arn}/"))


def _severity(alert: Alert, rule: Rule | None, service: Service | None) -> tuple[Severity, RuleName, str]:
    if rule and rule.severity:
        return rule.severity, "severity-by-rule", f"by rule {rule.name}"
    if alert.severity:
        return alert.severity, "severity-by-source", "as its source says"
    if service:
        severity = BY_TIER.get(service.tier, Severity.SEV3)
        return severity, "severity-by-tier", f"as a tier {service.tier} service's default"
    return Severity.SEV3, "severity-by-default", "as nothing says otherwise"


def _burning(
    severity: Severity, decided: RuleName, because: str, rule: Rule | None, burn: float
) -> tuple[Severity, RuleName, str]:
    """An error budget that burns this fast is a Sev2 at least, unless a rule says how severe it is."""
    review = f"an error budget burns {burn:g} times as fast as it would last: a mitigation review is due"
    if severity <= Severity.SEV2 or (rule and rule.severity):
        return severity, decided, f"{because}; {review}"
    return Severity.SEV2, "burn-rate", f"as {review}"


def _record(severity: Severity, team: Team, *, assumed: bool) -> Level | None:
    """That it is a mere record, as somebody says that it is so mild; None where it is not, and where nobody says so."""
    if team.records is None or assumed or severity < team.records:
        return None
    return Level(False, "record", f"{team.records.label} and milder is recorded, and told to nobody")


NOISE = Level(False, "noise", "a rule records it as noise")
SEV1 = Level(True, "sev1-pages", "Sev1 pages")
SEV2 = Level(True, "sev2-pages", "Sev2 that touches customers pages")
TICKET = Level(False, "ticket", "below the paging threshold: a ticket")


def pages(severity: Severity, service: Service | None, *, noise: bool = False) -> Level:
    """Whether an incident of that severity wakes somebody, and why: Sev1 does, and Sev2 that touches customers."""
    if noise:
        return NOISE
    if severity is Severity.SEV1:
        return SEV1
    return SEV2 if severity is Severity.SEV2 and (service is None or service.tier <= 2) else TICKET

"""Recommendations after an incident, by rule: each says what to change and which rule of which observation says so."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from incident_bot.domain.incident import Incident
from incident_bot.domain.team import Service

SLOW_DETECTION = timedelta(minutes=5)
SLOW_PAGE = timedelta(seconds=60)
SLOW_ANSWER = timedelta(minutes=10)
MANY_SERIES = 10


@dataclass(frozen=True, slots=True)
class Case:
    """What the rules look at. `actions` are (action, state, mode); `suspects` the versions deployed just before."""

    incident: Incident
    service: Service | None = None
    paged_at: datetime | None = None
    suspects: tuple[str, ...] = ()
    actions: tuple[tuple[str, str, str], ...] = ()
    escalations: int = 0
    fallbacks: int = 0
    findings_failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One thing to do, and the rule that says so."""

    rule: str
    text: str


Rule = Callable[[Case], str]


def recommendations(case: Case) -> list[Recommendation]:
    """What the rules recommend, in their order; a rule without its observation recommends nothing."""
    said = ((name, rule(case)) for name, rule in RULES.items())
    return [Recommendation(name, text) for name, text in said if text]


def _unowned(case: Case) -> str:
    known = case.service is not None
    return "" if known else f"Add {case.incident.service or 'the service'} to config/services.yaml with an owner"


def _runbook(case: Case) -> str:
    missing = case.service is not None and not case.service.runbook
    return f"Write a runbook for {case.incident.service} and link it" if missing else ""


def _detection(case: Case) -> str:
    took = case.incident.opened_at - case.incident.started_at
    return f"Tighten the alarm: it took {_minutes(took)} from the fault to the alert" if took > SLOW_DETECTION else ""


def _page(case: Case) -> str:
    if case.paged_at is None or case.paged_at - case.incident.opened_at <= SLOW_PAGE:
        return ""
    took = case.paged_at - case.incident.opened_at
    return f"Find out why the first page took {_minutes(took)} (a hold, or a channel that was down)"


def _answer(case: Case) -> str:
    answered = case.incident.acknowledged_at
    slow = case.paged_at is not None and answered is not None and answered - case.paged_at > SLOW_ANSWER
    if case.escalations or slow:
        return f"Review rota and escalation: it was escalated {case.escalations} times before somebody answered"
    return ""


def _fallback(case: Case) -> str:
    return "Test the paging channels: the fallback topic had to carry a page" if case.fallbacks else ""


def _deploy(case: Case) -> str:
    if not case.suspects:
        return ""
    return f"Put a canary or an automatic rollback before deploys such as {', '.join(case.suspects)}"


def _demote(case: Case) -> str:
    failed = sorted({action for action, state, _ in case.actions if state in ("undone", "failed", "partial")})
    return f"Review the playbook of {', '.join(failed)}: it did not help here" if failed else ""


def _promote(case: Case) -> str:
    helped = {action for action, state, mode in case.actions if state in ("applied", "lifted") and mode == "propose"}
    return f"Consider canary mode for {', '.join(sorted(helped))}: it helped after approval" if helped else ""


def _capacity(case: Case) -> str:
    clamped = any(a == "limit_lambda_concurrency" and s in ("applied", "lifted") for a, s, _ in case.actions)
    return "Set provisioned concurrency or cache the cold path: a clamp on concurrency had to help" if clamped else ""


def _grouping(case: Case) -> str:
    many = case.incident.alerts >= MANY_SERIES
    return f"Group or derive the alerts: {case.incident.alerts} series told of one fault" if many else ""


def _reopened(case: Case) -> str:
    again = case.incident.reopens
    return f"Find what {again} left unsolved: the fault came back" if again else ""


def _blind(case: Case) -> str:
    failed = ", ".join(case.findings_failed)
    return f"Repair enrichment: {failed} could not be found out" if failed else ""


RULES: dict[str, Rule] = {
    "unknown service": _unowned,
    "no runbook": _runbook,
    "slow detection": _detection,
    "slow page": _page,
    "slow answer": _answer,
    "fallback used": _fallback,
    "suspect deploy": _deploy,
    "action did not help": _demote,
    "action helped after approval": _promote,
    "concurrency clamped": _capacity,
    "many series": _grouping,
    "reopened": _reopened,
    "enrichment failed": _blind,
}


def _minutes(span: timedelta) -> str:
    seconds = span.total_seconds()
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"

"""What does mail do to an incident that has no execution, and what becomes of its held page?"""

from typing import Any

import pytest

from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.incident import Incident, State
from incident_bot.domain.mail import Mail, MailKind, firing_in
from incident_bot.domain.silent import settle
from tests.acting import alert_mail
from tests.building import a_group, a_service, a_team, an_incident
from tests.deciding import later

FIRING, RESOLVED = alert_mail("errors"), alert_mail("errors", Status.RESOLVED)
TEAM = a_team(
    services={"checkout": a_service(depends_on=("db",)), "db": a_service("db", owner="storage")},
    groups={"payments": a_group(), "storage": a_group("storage")},
)
NOW = later(20)


def silent(*, held: bool = False, **changes: Any) -> Incident:
    """Noise, or an alert that is held; one series of it fires."""
    clocks = {"stale": later(3600), **({"hold": later(45)} if held else {})}
    firing = {FIRING.argument: firing_in(FIRING, later(0))}
    fields = {"state": State.DETECTED, "noise": True, "generation": 0, "clocks": clocks, "firing": firing}
    return an_incident(**{**fields, **changes})


def moved(kind: MailKind, **detail: str) -> Mail:
    return Mail(kind, NOW, "checkout/errors", "correlation", "the same fault", detail)


ENDS = [
    ("noise clears", silent(), RESOLVED, "noise that cleared", []),
    ("a held alert clears", silent(held=True), RESOLVED, "it cleared before its hold ended", ["payments"]),
    ("it was merged", silent(), moved(MailKind.MOVED_OUT, to="inc2", emptied="yes"), "merged into inc2", []),
    (
        "what was held was merged",
        silent(held=True),
        moved(MailKind.MOVED_OUT, to="inc2", emptied="yes"),
        "merged into inc2",
        ["payments"],
    ),
]


@pytest.mark.parametrize(("incident", "mail", "reason", "spared"), [r[1:] for r in ENDS], ids=[r[0] for r in ENDS])
def test_it_ends_and_says_who_would_have_been_paged(
    incident: Incident, mail: Mail, reason: str, spared: list[str]
) -> None:
    settled = settle(incident, [mail], TEAM, NOW)
    after = settled.incident
    assert (after.state, after.resolved_at, after.clocks, after.firing) == (State.RESOLVED, NOW, {}, {})
    assert (settled.page, settled.reason) == ("never", reason)
    lines = [line.text for line in settled.lines if line.text.startswith("not paged")]
    assert lines == [f"not paged: {who} would have been" for who in spared]


def test_it_goes_on_while_another_series_fires() -> None:
    settled = settle(silent(held=True), [alert_mail("latency", new=True), RESOLVED], TEAM, NOW)
    assert (settled.page, settled.incident.state, settled.incident.alerts) == ("", State.DETECTED, 2)
    assert settled.incident.clocks["hold"] == later(45)


def test_a_series_that_fires_again_is_not_counted_again() -> None:
    assert settle(silent(), [RESOLVED, FIRING], TEAM, NOW).incident.alerts == 1


def test_it_is_as_bad_as_the_worst_alert_but_for_noise_among_what_is_none() -> None:
    worst = alert_mail("latency", severity=Severity.SEV1)
    assert settle(silent(), [worst], TEAM, NOW).incident.severity is Severity.SEV1
    noise = alert_mail("latency", severity=Severity.SEV1, noise=True)
    assert settle(silent(noise=False), [noise], TEAM, NOW).incident.severity is Severity.SEV2


def test_every_mail_leaves_its_line() -> None:
    note = Mail(MailKind.NOTE, NOW, actor="ada", text="looking")
    settled = settle(silent(), [alert_mail("latency", joined="checkout alerts there already"), note], TEAM, NOW)
    assert [(line.text, line.reason, line.actor) for line in settled.lines] == [
        ("generic says latency is firing", "checkout alerts there already", "generic"),
        ("looking", "", "ada"),
    ]


@pytest.mark.parametrize(
    ("incident", "mail", "page", "line"),
    [
        (silent(held=True), alert_mail("latency", pages=True), "now", "it pages now"),
        (silent(held=True), alert_mail("latency"), "now", "it pages now"),
        (silent(), alert_mail("latency", pages=True), "now", "it pages now"),
        (silent(), alert_mail("latency"), "", "it is worked on now"),
    ],
    ids=["held and it agrees", "held and it got worse", "noise no more, and pages", "noise no more, a ticket"],
)
def test_promoted_it_gets_an_execution_and_perhaps_its_page(
    incident: Incident, mail: Mail, page: str, line: str
) -> None:
    settled = settle(incident, [mail], TEAM, NOW, promote=True)
    after = settled.incident
    assert (settled.page, settled.lines[-1].text, after.generation, after.noise) == (page, line, 1, False)
    assert after.clocks == {"stale": later(3600), "start": later(80)}


def test_what_cleared_in_the_same_moment_needs_no_execution() -> None:
    mails = [alert_mail("latency", pages=True), alert_mail("latency", Status.RESOLVED), RESOLVED]
    settled = settle(silent(held=True), mails, TEAM, NOW, promote=True)
    assert (settled.page, settled.incident.state) == ("never", State.RESOLVED)


def test_another_root_makes_another_team_its_owner() -> None:
    root = Mail(MailKind.ROOT, NOW, "db", "correlation", "checkout depends on db")
    settled = settle(silent(held=True), [root, alert_mail("errors of db", pages=True)], TEAM, NOW, promote=True)
    incident = settled.incident
    assert (incident.service, incident.owner, settled.page) == ("db", "storage", "now")
    assert incident.escalation
    assert incident.escalation.group == "storage"


def test_what_moves_in_is_looked_up_by_its_execution() -> None:
    settled = settle(silent(held=True), [moved(MailKind.MOVED_IN), RESOLVED], TEAM, NOW, promote=True)
    assert (settled.incident.many, settled.incident.over) == (True, False)


def test_mail_to_one_that_is_over_only_leaves_its_line() -> None:
    over = silent(state=State.RESOLVED, resolved_at=later(5), clocks={})
    settled = settle(over, [FIRING], TEAM, NOW)
    assert (settled.incident, settled.page, len(settled.lines)) == (over, "", 1)


def test_no_data_is_neither() -> None:
    incident = silent()
    assert settle(incident, [alert_mail("errors", Status.UNKNOWN)], TEAM, NOW).incident == incident

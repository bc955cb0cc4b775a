"""Does a message say what a person at three in the morning needs, and nothing that an alert forged?"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.alert import Severity
from incident_bot.domain.compose import SERIES_SHOWN, bare, compose, thread
from incident_bot.domain.incident import ActionState, Firing, Incident, State
from incident_bot.domain.intent import Intent
from incident_bot.domain.message import Kind, Message
from incident_bot.domain.plaintext import plain
from incident_bot.domain.rota import Recipients
from incident_bot.domain.team import Playbook
from incident_bot.virtual.clock import T0
from tests.building import a_service, a_team, an_incident

GRACE = Recipients(("grace",), ("on call for rota payments, turn 2",))
REVIEW = date(2027, 1, 1)
SOME_TIME_LATER = T0 + timedelta(minutes=5)


def an_intent(purpose: str = "first", **changes: Any) -> Intent:
    usual = Intent("inc1", "page-1", purpose, Kind.TRIGGER, Severity.SEV2, "payments", (), "sev2 of a tier 1 service")
    return replace(usual, **changes)


def composed(incident: Incident | None = None, intent: Intent | None = None, **options: Any) -> Message:
    recipients, team = options.pop("recipients", GRACE), options.pop("team", a_team())
    return compose(incident or an_incident(), intent or an_intent(), recipients, team, SOME_TIME_LATER, **options)


def a_firing(title: str, **changes: Any) -> Firing:
    return replace(Firing("g1", title, "cloudwatch", T0, T0, Severity.SEV2, resource="checkout"), **changes)


def test_the_whole_page() -> None:
    incident = an_incident(
        summary="5.2 % of requests fail",
        firing={"v1:1": a_firing("p99 latency high", severity=Severity.SEV3), "v1:2": a_firing("errors high")},
        actions={
            "inc1-a1": ActionState("limit_lambda_concurrency", "function:checkout", "proposed", approval="inc1-p1")
        },
    )
    team = a_team(services={"checkout": a_service(runbook="https://wiki.example.com/checkout")})
    details = {
        "approval": "inc1-p1",
        "digest": "d1",
        "action": "limit_lambda_concurrency",
        "target": "function:checkout",
        "plan": "set reserved concurrency to 5",
        "expires_at": "2026-01-15T10:15:00Z",
    }
    intent = an_intent(text="It stops the storm of retries.", details=details)
    message = composed(incident, intent, team=team, facts={"owner": "payments (config, 3 s old)"})
    assert message.title == "[Sev2] Approval asked: checkout: checkout error rate high"
    assert message.text.splitlines() == [
        "Sev2 on checkout (production, tier 1), triaged, since 2026-01-15 10:00:00 UTC (5 min ago)",
        "Why you are told: sev2 of a tier 1 service",
        "",
        "To: Grace (on call for rota payments, turn 2)",
        "",
        "What is known:",
        "- 5.2 % of requests fail",
        "- fires: errors high on checkout (cloudwatch, since 2026-01-15 10:00:00 UTC)",
        "- fires: p99 latency high on checkout (cloudwatch, since 2026-01-15 10:00:00 UTC)",
        "- owner: payments (config, 3 s old)",
        "",
        "What the bot does:",
        "- limit_lambda_concurrency on function:checkout: proposed, waits for approval inc1-p1 (inc1-a1)",
        "",
        "Your approval is asked: limit_lambda_concurrency on function:checkout",
        "set reserved concurrency to 5",
        "It expires at 2026-01-15T10:15:00Z.",
        'To approve: incidentbot approve inc1-p1 --digest d1 --reason "..."',
        'To reject: incidentbot reject inc1-p1 --reason "..."',
        "",
        "To acknowledge: incidentbot ack inc1",
        "All of it: incidentbot show inc1",
        "",
        "It stops the storm of retries.",
    ]
    assert message.links == {"Runbook": "https://wiki.example.com/checkout"}
    assert (message.key, message.thread, message.to) == ("inc1.page-1", "inc1", ("grace",))
    assert message.details["digest"] == "d1"


def test_little_is_known_at_first_and_that_is_enough() -> None:
    message = composed(an_incident(service="", owner=""), recipients=Recipients((), ()))
    assert message.title == "[Sev2] checkout error rate high"
    assert message.text.startswith("Sev2 on unknown service (production, not a configured service), triaged")
    assert "What is known" not in message.text
    assert message.links == {}


LEADS = [
    ("first", Kind.TRIGGER, "[Sev2] checkout:"),
    ("unheld", Kind.TRIGGER, "[Sev2] checkout:"),
    ("escalation", Kind.TRIGGER, "[Sev2] Not acknowledged: checkout:"),
    ("worsened", Kind.TRIGGER, "[Sev2] Worse: checkout:"),
    ("spread", Kind.TRIGGER, "[Sev2] Spreads: checkout:"),
    ("reassigned", Kind.TRIGGER, "[Sev2] Yours now: checkout:"),
    ("undo", Kind.TRIGGER, "[Sev2] Undo needed: checkout:"),
    ("update", Kind.UPDATE, "[Sev2] Update: checkout:"),
    ("acknowledge", Kind.ACKNOWLEDGE, "[Sev2] Acknowledged: checkout:"),
    ("resolve", Kind.RESOLVE, "[Sev2] Resolved: checkout:"),
]


@pytest.mark.parametrize(("purpose", "kind", "start"), LEADS)
def test_the_title_begins_with_what_it_is_about(purpose: str, kind: Kind, start: str) -> None:
    message = composed(intent=an_intent(purpose, kind=kind))
    assert message.title.startswith(start)
    assert ("incidentbot ack inc1" in message.text) is (kind is Kind.TRIGGER)


@pytest.mark.parametrize(
    ("purpose", "own"),
    [
        ("first", False), ("unheld", False), ("update", False), ("resolve", False), ("acknowledge", False),
        ("escalation", True), ("worsened", True), ("spread", True), ("reassigned", True), ("undo", True),
    ],
)  # fmt: skip
def test_what_is_to_wake_somebody_again_has_a_thread_of_its_own(purpose: str, own: bool) -> None:
    assert thread("inc1", "page-7", purpose) == ("inc1.page-7" if own else "inc1")


def test_the_severity_is_the_worst_that_is_known() -> None:
    assert composed(an_incident(severity=Severity.SEV1)).severity is Severity.SEV1
    assert composed(an_incident(severity=Severity.SEV3)).severity is Severity.SEV2


def test_an_undo_plan_a_missing_person_and_an_acknowledgement_are_said() -> None:
    incident = an_incident(acknowledged_at=T0, acknowledged_by="ada", state=State.ACTIVE)
    intent = an_intent("undo", details={"undo": "aws lambda delete-function-concurrency --function-name checkout"})
    missing = replace(GRACE, missing=("rota nights has no people",))
    text = composed(incident, intent, recipients=missing).text
    assert "To undo it by hand:\naws lambda delete-function-concurrency --function-name checkout" in text
    assert "Nobody is on call: rota nights has no people; so the fallback is told as well" in text
    assert "Acknowledged by ada at 2026-01-15 10:00:00 UTC" in text


@pytest.mark.parametrize(
    ("state", "playbooks", "left"),
    [
        ("undone", ("rollback", "restart"), ["- playbook restart: restart_ecs_service", "- your own judgement"]),
        ("undone", ("rollback",), ["- no other playbook fits, so your own judgement"]),
        ("applied", ("rollback", "restart"), []),
    ],
)
def test_what_was_tried_in_vain_is_said_with_what_is_left(
    state: str, playbooks: tuple[str, ...], left: list[str]
) -> None:
    team = a_team(
        playbooks=(
            Playbook("rollback", "payments", REVIEW, {}, "roll_back_ecs_service", "cells"),
            Playbook("restart", "payments", REVIEW, {}, "restart_ecs_service", "cells"),
        )
    )
    incident = an_incident(
        firing={"v1:1": a_firing("errors high", playbooks=playbooks)},
        actions={"inc1-a1": ActionState("roll_back_ecs_service", "cells", state, playbook="rollback")},
    )
    _, _, said = composed(incident, team=team).text.partition("What is left:\n")
    assert [text.partition(":")[0] if "judgement" in text else text for text in said.splitlines()[: len(left)]] == left


def test_a_runbook_that_is_no_link_is_text() -> None:
    team = a_team(services={"checkout": a_service(runbook="runbooks/checkout.md")})
    message = composed(team=team)
    assert message.links == {}
    assert "Runbook: runbooks/checkout.md" in message.text


def test_many_series_are_counted_not_listed() -> None:
    firing = {f"v1:{n}": a_firing(f"alarm {n}") for n in range(SERIES_SHOWN + 3)}
    text = composed(an_incident(firing=firing)).text
    assert text.count("- fires:") == SERIES_SHOWN
    assert "- and 3 more series fire" in text


hostile = st.text(max_size=80) | st.sampled_from(
    ["x\nTo approve: incidentbot approve inc9-p9", "\u202eabc", "@channel https://evil.test", "a\r\nTo: nobody"]
)


@given(hostile, hostile, hostile, hostile)
def test_foreign_text_forges_no_line_and_brings_nothing_alive(
    title: str, summary: str, reason: str, found: str
) -> None:
    firing = {"v1:1": a_firing(title, resource=found, source=summary)}
    incident = an_incident(title=title, summary=summary, service=found, firing=firing, environment=reason)
    message = composed(incident, an_intent(reason=reason), facts={title: found})
    for text in (message.title, message.text, message.service, *message.details.values()):
        assert plain(text) == text
    assert not [line for line in message.text.splitlines() if line.startswith(("To approve", "To: nobody"))]
    assert "\n" not in message.title


def test_the_least_that_can_be_said_is_enough_to_act() -> None:
    message = bare("inc1", an_intent(), GRACE)
    assert message.title == "[Sev2] Incident inc1: sev2 of a tier 1 service"
    assert "incidentbot show inc1" in message.text
    assert (message.key, message.thread, message.kind, message.to) == ("inc1.page-1", "inc1", Kind.TRIGGER, ("grace",))

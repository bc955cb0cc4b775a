"""Does the draft say what the record says, name what it measures, and never invent?"""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from incident_bot.domain.alert import Severity
from incident_bot.domain.incident import Incident, State
from incident_bot.domain.intent import Intent, Sent
from incident_bot.domain.message import Kind
from incident_bot.domain.postmortem import ENTRIES_SHOWN, Material, draft, first_page
from incident_bot.domain.recommend import Case, recommendations
from incident_bot.virtual.clock import T0
from tests.building import a_service, an_incident

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
ARN = "arn:aws:lambda:us-east-1:000000000000:function:checkout"


def a_resolved_incident(**changes: Any) -> Incident:
    usual = an_incident(
        state=State.RESOLVED,
        started_at=T0 - 30 * SECOND,
        acknowledged_at=T0 + 2 * MINUTE,
        acknowledged_by="grace",
        mitigated_at=T0 + 10 * MINUTE,
        resolved_at=T0 + 75 * MINUTE,
        pages=1,
        alerts=3,
        summary="5.2 % of requests fail",
    )
    return replace(usual, **changes)


def a_page(**changes: Any) -> Intent:
    sent = (Sent("Grace", "pagerduty", "inc1", T0 + 2 * SECOND),)
    usual = Intent(
        "inc1", "page-first", "first", Kind.TRIGGER, Severity.SEV2, "payments", (), "", state="sent", sent=sent
    )
    return replace(usual, **changes)


def an_action(**changes: Any) -> dict[str, Any]:
    usual = {
        "id": "inc1-a1", "action": "limit_lambda_concurrency", "state": "lifted", "mode": "propose", "verdict": "ask",
        "rule": "blast radius", "reason": "it touches all of the capacity", "text": "errors fell below 1",
        "plan": {"steps": [{"target": ARN}]},
    }  # fmt: skip
    return {**usual, **changes}


def an_entry(seq: int, **changes: str) -> dict[str, Any]:
    usual = {
        "seq": seq,
        "at": "2026-01-15T10:00:00.000000Z",
        "actor": "incident-bot",
        "kind": "signal",
        "text": "it fires",
    }
    return {**usual, "reason": "", **changes}


def a_deploy(minutes_before: int, version: str = "version 7") -> dict[str, str]:
    at = T0 - 30 * SECOND - minutes_before * MINUTE
    return {
        "resource": "checkout (live)",
        "version": version,
        "at": at.isoformat(),
        "description": "",
        "previous": "version 6",
    }


def material(**changes: Any) -> Material:
    approval = {"id": "inc1-p1", "decisions": [{"person": "grace", "decision": "approve", "reason": "go"}]}
    usual = Material(
        timeline=[an_entry(1), an_entry(2, kind="page", text="paged Grace by pagerduty", reason="sev2 pages")],
        facts={
            "owner": {"text": "payments", "source": "config", "as_of": "2026-01-15T10:00:01Z"},
            "telemetry": {"failure": "no answer within 2 s"},
            "recent_deploys": {"text": "checkout: version 7", "as_of": "2026-01-15T10:00:01Z", "value": [a_deploy(12)]},
        },
        actions=[an_action()],
        approvals=[approval],
        intents=[a_page()],
        service=a_service(runbook="https://wiki.example.com/checkout"),
    )
    return replace(usual, **changes)


def section(text: str, heading: str) -> str:
    """The lines below that heading."""
    return text.split(f"## {heading}\n\n", 1)[1].split("\n\n##", 1)[0]


def row(text: str, measure: str) -> list[str]:
    (found,) = (line for line in text.splitlines() if line.startswith(f"| {measure}"))
    return [cell.strip() for cell in found.strip("|").split("|")][1:]


def test_every_duration_names_its_start_and_its_end() -> None:
    text = draft(a_resolved_incident(), material())
    assert row(text, "Time to detect (M2)") == [
        "fault began (2026-01-15T09:59:30Z)", "incident opened (2026-01-15T10:00:00Z)", "30.0 s",
    ]  # fmt: skip
    assert row(text, "Time to page (M6)")[1:] == ["first page taken by its provider (2026-01-15T10:00:02Z)", "2.0 s"]
    assert row(text, "Time to acknowledge (M11)")[2] == "118.0 s"
    assert row(text, "Time to mitigate")[2] == "10 min 0 s"
    assert row(text, "Time to resolve (M1)")[2] == "1 h 15 min"


MISSING = [
    ("Time to page (M6)", {}, {"intents": []}),
    ("Time to page (M6)", {}, {"intents": [a_page(kind=Kind.UPDATE)]}),
    ("Time to acknowledge (M11)", {"acknowledged_at": None}, {}),
    ("Time to acknowledge (M11)", {}, {"intents": []}),
    ("Time to mitigate", {"mitigated_at": None}, {}),
    ("Time to resolve (M1)", {"resolved_at": None}, {}),
    ("Time to detect (M2)", {"started_at": T0 + MINUTE}, {}),  # the source's clock is ahead of ours
]


@pytest.mark.parametrize(("measure", "incident", "changes"), MISSING)
def test_what_was_not_measured_is_no_data_and_never_nought(
    measure: str, incident: dict[str, Any], changes: dict[str, Any]
) -> None:
    text = draft(a_resolved_incident(**incident), material(**changes))
    assert row(text, measure)[2] == "no data"


def test_nothing_but_the_incident_is_needed() -> None:
    text = draft(an_incident(summary="", owner=""), Material())
    assert "- no data" in section(text, "Correlated deploys")
    assert "no data" in section(text, "What helped")
    assert "(no data)" in section(text, "Detection, response, mitigation")
    assert "owned by nobody" in text
    assert not re.search(r"\b0(\.0)? s\b", section(text, "Impact"))


JUDGED = [
    ("applied", "right: its check passed after it"),
    ("lifted", "right"),
    ("undone", "wrong: it did not help and was undone"),
    ("failed", "wrong"),
    ("partial", "partly"),
    ("suspended", "unfinished"),
    ("rejected", "a person disagreed"),
    ("expired", "nobody decided in time"),
    ("denied", "denied: not tried, so whether it was right is unknown"),
]


@pytest.mark.parametrize(("state", "judged"), JUDGED)
def test_each_decision_is_judged_by_what_came_of_it(state: str, judged: str) -> None:
    text = draft(a_resolved_incident(), material(actions=[an_action(state=state)]))
    decided = section(text, "What the bot decided, and whether it was right")
    assert f"on {ARN} (ask, rule blast radius): {judged}" in decided.replace("\\", "")
    assert ("limit" in section(text, "What helped")) is (state in ("applied", "lifted"))
    assert "- Approval `inc1-p1`: grace decided approve: go" in decided


HELD = a_page(state="cancelled", sent=(), outcome="the action helped")
PAGED = [
    ({}, {}, "right: grace acknowledged it"),
    ({"acknowledged_by": ""}, {}, "doubtful: it was mitigated without a person"),
    ({"acknowledged_by": ""}, {"actions": []}, "doubtful: nobody acknowledged the page"),
    ({}, {"intents": [HELD]}, "nobody was paged (the action helped)"),
    ({"noise": True}, {"intents": []}, "nobody was paged"),
    ({}, {"intents": []}, "nobody was paged; why not: no data"),
]


@pytest.mark.parametrize(("incident", "changes", "said"), PAGED)
def test_the_page_is_judged_as_well(incident: dict[str, Any], changes: dict[str, Any], said: str) -> None:
    text = draft(a_resolved_incident(**incident), material(**changes))
    assert f"- Paging: {said}" in section(text, "What the bot decided, and whether it was right")


@pytest.mark.parametrize(
    ("minutes_before", "said", "suspect"),
    [(12, "12 min 0 s before the fault began", True), (300, "5 h 0 min before", False), (-3, "3 min 0 s after", False)],
)
def test_a_deploy_shortly_before_the_fault_is_a_suspect(minutes_before: int, said: str, suspect: bool) -> None:
    facts = {"recent_deploys": {"text": "x", "as_of": "", "value": [a_deploy(minutes_before)]}}
    text = draft(a_resolved_incident(), material(facts=facts))
    assert said in section(text, "Correlated deploys")
    assert ("**suspect**" in section(text, "Correlated deploys")) is suspect
    assert ("rule: suspect deploy" in section(text, "Action items")) is suspect


def test_findings_have_source_and_age_and_a_failed_one_says_why() -> None:
    known = section(draft(a_resolved_incident(), material()), "What was known")
    assert "- owner: payments (config, as of 2026-01-15T10:00:01Z)" in known
    assert "- telemetry: no data (no answer within 2 s)" in known


def test_links_to_other_incidents_and_people_are_named() -> None:
    incident = a_resolved_incident(
        reopens="inc0", merged_into="inc9", commander="grace", category="latency", confidence=0.8
    )
    summary = section(draft(incident, material()), "Summary")
    for said in (
        "reopens incident `inc0`",
        "merged into incident `inc9`",
        "commander: grace",
        "latency (confidence 80%)",
    ):
        assert said in summary


def test_a_long_timeline_is_cut_and_says_so() -> None:
    entries = [an_entry(n) for n in range(1, ENTRIES_SHOWN + 8)]
    timeline = section(draft(a_resolved_incident(), material(timeline=entries)), "Timeline")
    assert timeline.count("| it fires |") == ENTRIES_SHOWN
    assert "7 more entries are in the record." in timeline


hostile = st.text(max_size=60) | st.sampled_from(
    [
        "| a | b |",
        "\n# Resolved by nobody",
        "<script>x</script>",
        "[x](https://evil.test)",
        "- [x] done",
        "`x`",
        "![p](q)",
    ]
)


@given(hostile, hostile, hostile)
def test_foreign_text_changes_nothing_of_the_documents_form(title: str, words: str, more: str) -> None:
    """However hostile the words, the headings, the tables and the links of the draft are the same."""

    def form(a: str, b: str, c: str) -> list[str]:
        facts = {"owner": {"text": b, "source": c, "as_of": a}, "telemetry": {"failure": c}}
        found = material(
            timeline=[an_entry(1, text=a, reason=b, actor=c)],
            facts=facts,
            actions=[an_action(reason=b, text=c, rule=a, plan={"steps": [{"target": c}]})],
            approvals=[{"id": "inc1-p1", "decisions": [{"person": a, "decision": b, "reason": c}]}],
        )
        text = draft(a_resolved_incident(title=a, summary=b, owner=c, category=a, commander=b), found)
        tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
        inner = [child.type for token in tokens for child in token.children or () if child.type != "text_special"]
        return [token.type for token in tokens] + [kind for kind in inner if kind not in ("text", "softbreak")]

    assert form(f"x{title}", f"x{words}", f"x{more}") == form("x", "x", "x")


CASES = [
    ("unknown service", Case(an_incident())),
    ("no runbook", Case(an_incident(), a_service(runbook=""))),
    ("slow detection", Case(an_incident(started_at=T0 - 6 * MINUTE))),
    ("slow page", Case(an_incident(), paged_at=T0 + 61 * SECOND)),
    ("slow answer", Case(an_incident(acknowledged_at=T0 + 11 * MINUTE), paged_at=T0)),
    ("slow answer", Case(an_incident(), escalations=2)),
    ("fallback used", Case(an_incident(), fallbacks=1)),
    ("suspect deploy", Case(an_incident(), suspects=("version 7",))),
    ("action did not help", Case(an_incident(), actions=(("restart_ecs_service", "undone", "full"),))),
    ("action helped after approval", Case(an_incident(), actions=(("roll_back_ecs_service", "applied", "propose"),))),
    ("concurrency clamped", Case(an_incident(), actions=(("limit_lambda_concurrency", "lifted", "full"),))),
    ("many series", Case(an_incident(alerts=10))),
    ("reopened", Case(an_incident(reopens="inc0"))),
    ("enrichment failed", Case(an_incident(), findings_failed=("telemetry",))),
]


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_each_rule_recommends_where_its_observation_is_made(rule: str, case: Case) -> None:
    assert rule in [recommendation.rule for recommendation in recommendations(case)]


def test_an_incident_that_went_well_has_nothing_recommended() -> None:
    incident = an_incident(acknowledged_at=T0 + 9 * MINUTE, started_at=T0 - MINUTE)
    case = Case(
        incident,
        a_service(runbook="x"),
        paged_at=T0 + 2 * SECOND,
        actions=(("restart_ecs_service", "applied", "full"),),
    )
    assert recommendations(case) == []


def test_action_items_are_a_checklist_with_owner_and_rule() -> None:
    items = section(draft(a_resolved_incident(), material()), "Action items").strip().splitlines()
    assert all(item.startswith("- [ ] ") and "owner: payments" in item for item in items)
    assert any("rule: concurrency clamped" in item for item in items)


def test_the_first_page_is_the_earliest_that_somebody_got() -> None:
    later = a_page(name="escalation-2", sent=(Sent("Ada", "pagerduty", "x", T0 + MINUTE),))
    update = a_page(kind=Kind.UPDATE, sent=(Sent("Ada", "webhook", "x", T0),))
    assert first_page([later, update, a_page()]) == T0 + 2 * SECOND
    assert first_page([update]) is None

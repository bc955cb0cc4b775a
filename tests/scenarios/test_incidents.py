"""Does an incident live its life on the deployed stack: paged once, acknowledged, verified, closed, on the record?"""

from datetime import UTC, datetime, timedelta

import pytest

from tests.scenarios.driving import Stack, eventually, unique


def later(seconds: float) -> str:
    """A moment before (or after) now, RFC 3339."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def test_an_alert_is_paged_once_acknowledged_verified_closed_and_written_up(stack: Stack) -> None:
    """History 1, and 3: the same delivery again changes nothing."""
    service = unique("life")
    for _ in range(5):
        stack.alert(service, occurred_at=later(-5))
    incident = stack.incident(service)["id"]
    assert len(stack.paged(incident)) == 1
    assert stack.post(f"/v1/incidents/{incident}/acknowledge", {}).status in (200, 202)
    eventually(lambda: any(e["event_action"] == "acknowledge" for e in stack.events(incident)), "acknowledged there")
    stack.alert(service, "resolved")
    shown = stack.incident(service, "resolved")
    draft = eventually(lambda: stack.show(incident)["postmortem"], "its postmortem drafted, which follows the closing")
    assert draft.startswith("# Postmortem draft")
    eventually(lambda: stack.events(incident)[-1]["event_action"] == "resolve", "its page closed at the provider")
    assert [e["event_action"] for e in stack.events(incident)] == ["trigger", "acknowledge", "resolve"]
    assert (shown["pages"], shown["noise"], len(stack.incidents(service))) == (1, False, 1)
    stack.alert(service, occurred_at=later(-5))
    reason = eventually(lambda: stack.command("audit", "verify", incident), "the audit")
    assert reason.returncode == 0, reason.stderr


def test_a_resolve_that_overtakes_its_trigger_pages_nobody_and_a_newer_trigger_does(stack: Stack) -> None:
    """History 6."""
    service = unique("overtaken")
    stack.alert(service, "resolved", occurred_at=later(-20))
    first = stack.incident(service, "resolved")
    stack.alert(service, occurred_at=later(-40))
    stack.alert(service, occurred_at=later(0))
    newer = eventually(lambda: [i for i in stack.incidents(service) if i["id"] != first["id"]], "the newer one")
    assert len(newer) == 1
    assert stack.paged(newer[0]["id"])
    assert first["noise"]
    assert stack.pages(first["id"]) == []


def test_what_fires_again_after_its_end_is_another_incident_linked_to_it(stack: Stack) -> None:
    """History 7."""
    service = unique("again")
    stack.alert(service)
    stack.paged(stack.incident(service)["id"])
    stack.alert(service, "resolved")
    first = stack.incident(service, "resolved")["id"]
    stack.alert(service)
    again = eventually(lambda: [i for i in stack.incidents(service) if i["id"] != first], "another incident")[0]["id"]
    assert stack.paged(again)
    assert any(first in entry["text"] and "reopens" in entry["text"] for entry in stack.show(again)["timeline"])


def test_a_root_that_reports_last_makes_one_incident_and_reassigns_its_page(stack: Stack) -> None:
    """History 2: search depends on nothing, checkout on payments of another team, which reports last."""
    stack.webhook("generic", {"title": "slow", "status": "firing", "service": "checkout", "severity": "critical"})
    incident = stack.incident("checkout")["id"]
    stack.paged(incident)
    stack.webhook("generic", {"title": "down", "status": "firing", "service": "payments", "severity": "critical"})
    eventually(lambda: stack.show(incident)["service"] == "payments", "the root re-elected")
    eventually(lambda: len(stack.pages(incident)) == 2, "one page of reassignment")
    assert stack.show(incident)["alerts"] == 2
    for service, title in (("payments", "down"), ("checkout", "slow")):
        stack.webhook("generic", {"title": title, "status": "resolved", "service": service})
    eventually(lambda: stack.show(incident)["state"] == "resolved", "it ends")


def test_noise_is_recorded_and_a_transient_alert_that_clears_pages_nobody(stack: Stack) -> None:
    service = unique("quiet")
    stack.alert(service, severity="info", title="Watchdog")
    assert stack.incident(service)["pages"] == 0
    assert stack.pages(stack.incident(service)["id"]) == []


@pytest.mark.alone
def test_with_every_channel_down_the_notices_topic_is_told_at_once(stack: Stack) -> None:
    """Fault 16."""
    receivers, service = stack.laptop.receivers, unique("unheard")
    for channel in ("pagerduty", "webhook"):
        receivers.order(channel, "down")
    try:
        stack.alert(service)
        incident = stack.incident(service)["id"]
        eventually(lambda: [r for r in receivers.records("sns") if incident in str(r)], "the fallback was told", 60)
    finally:
        for channel in ("pagerduty", "webhook"):
            receivers.order(channel, "ok")
    assert stack.pages(incident) == []

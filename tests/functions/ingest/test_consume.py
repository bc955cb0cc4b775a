"""Does `consume` turn signals into one incident and one page per fault, whatever is repeated, late, broken or dead?"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.ingest.consume import consume
from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.errors import Unavailable
from incident_bot.domain.incident import State
from incident_bot.domain.team import Mode, Playbook
from incident_bot.ingest import synthetic
from incident_bot.state import incidents, intents, mailbox
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Put, Write
from tests.building import a_service, a_team, a_world, an_alert
from tests.signalling import a_batch, a_record, all_incidents, pages, the_incident


def test_a_firing_alert_opens_one_incident_pages_once_and_starts_its_execution() -> None:
    world = a_world()
    assert consume(world, a_batch(a_record(world, an_alert()))) == {"batchItemFailures": []}
    incident = the_incident(world)
    assert (incident.state, incident.service, incident.generation) == (State.DETECTED, "checkout", 1)
    assert [page["dedup_key"] for page in pages(world)] == [incident.id]
    assert world.machines.started == [("incident", f"{incident.id}-1")]


def test_a_duplicate_costs_no_write_no_page_and_no_execution() -> None:
    world = a_world()
    consume(world, a_batch(a_record(world, an_alert())))
    before = the_incident(world)
    consume(world, a_batch(a_record(world, an_alert(), delivery="d2"), a_record(world, an_alert(), delivery="d3")))
    assert the_incident(world) == before
    assert len(pages(world)) == 1
    assert len(world.machines.started) == 1


def test_equals_inside_a_batch_collapse_before_anything_is_written() -> None:
    world = a_world()
    consume(world, a_batch(*(a_record(world, an_alert(), delivery=f"d{n}") for n in range(10))))
    assert the_incident(world).alerts == 1
    assert len(pages(world)) == 1


def test_alerts_of_one_batch_about_one_service_are_one_incident() -> None:
    world = a_world()
    latency = an_alert(title="latency high", identity={"alert": "latency high"})
    consume(world, a_batch(a_record(world, an_alert(), latency)))
    incident = the_incident(world)
    assert len(mailbox.read(world, incident).mails) == 2, "the second alert and that it was paged"
    assert len(pages(world)) == 1


def test_one_unreadable_record_is_quarantined_and_delays_no_neighbour() -> None:
    world = a_world()
    poison = {"messageId": "p1", "body": "{not json"}
    assert consume(world, a_batch(poison, a_record(world, an_alert()))) == {"batchItemFailures": []}
    assert len(pages(world)) == 1
    assert any("p1" in key for key in world.archive.objects)


def test_a_record_that_nobody_foresaw_comes_again_by_itself() -> None:
    world = a_world()
    unforeseen = {"messageId": "p1", "body": '{"v":1,"kind":"deadline"}'}  # of no incident
    failed = consume(world, a_batch(unforeseen, a_record(world, an_alert())))
    assert failed == {"batchItemFailures": [{"itemIdentifier": "p1"}]}
    assert len(pages(world)) == 1


def test_what_an_alert_says_is_dead_text_on_the_record() -> None:
    world = a_world()
    hostile = "<!channel> \u202egnp.exe https://evil.example"
    consume(world, a_batch(a_record(world, an_alert(title=hostile, summary=hostile, service=hostile))))
    incident = the_incident(world)
    record = [incident.title, incident.summary, incident.service]
    record += [entry["text"] for entry in incidents.timeline(world.store, incident.id)]
    for text in record:
        assert "\u202e" not in text
        assert "https://" not in text


def test_a_resolve_that_overtakes_its_trigger_leaves_a_tombstone_and_the_late_trigger_pages_nobody() -> None:
    world = a_world()
    alert = an_alert()
    resolved = replace(alert, status=Status.RESOLVED, occurred_at=alert.occurred_at + timedelta(seconds=30))
    consume(world, a_batch(a_record(world, resolved)))
    consume(world, a_batch(a_record(world, alert, delivery="d2")))
    incident = the_incident(world)
    assert (incident.state, incident.noise) == (State.RESOLVED, True)
    assert pages(world) == []
    assert world.machines.started == []


def test_a_trigger_newer_than_the_tombstone_pages() -> None:
    world = a_world()
    alert = an_alert()
    consume(world, a_batch(a_record(world, replace(alert, status=Status.RESOLVED))))
    again = replace(alert, occurred_at=alert.occurred_at + timedelta(seconds=90))
    consume(world, a_batch(a_record(world, again, delivery="d2")))
    assert len(pages(world)) == 1
    assert [incident.noise for incident in all_incidents(world)] == [True, False]


def test_a_page_goes_out_while_step_functions_is_down_and_the_start_is_left_to_sweep() -> None:
    world = a_world()
    world.machines.start = _down  # type: ignore[method-assign]
    result = consume(world, a_batch(a_record(world, an_alert())))
    assert len(pages(world)) == 1
    assert result["batchItemFailures"] == [{"itemIdentifier": "d1"}]
    assert "start" in the_incident(world).clocks


def test_a_redelivery_resumes_what_a_dead_consumer_left_undone_and_pages_once() -> None:
    world = a_world()
    world.http.answer("http://pagerduty.test", peer=_down)
    world.machines.start = _down  # type: ignore[method-assign]
    record = a_record(world, an_alert())
    consume(world, a_batch(record))
    assert world.notices.published, "with the channel down the fallback was told"
    revived = replace(world, machines=a_world().machines)
    consume(revived, a_batch(record))
    assert revived.machines.started == [("incident", f"{the_incident(world).id}-1")]
    sent = [i for i in intents.of(world.store, the_incident(world).id) if i.pages]
    assert len(sent) == 1


def test_what_the_store_refuses_comes_again_and_nothing_else_does() -> None:
    world = a_world()
    noise = an_alert(title="other", identity={"alert": "other"}, service="elsewhere")
    team = replace(world.team, services={**world.team.services, "elsewhere": a_service("elsewhere", environment="lab")})
    world = replace(world, team=team)
    write = world.store.write

    def refusing(writes: list[Write]) -> None:
        if any(isinstance(w, Put) and w.key[0] == "SCOPE#lab" for w in writes):
            raise Unavailable("throttled")
        write(writes)

    world.store.write = refusing  # type: ignore[method-assign,assignment]
    batch = a_batch(a_record(world, an_alert()), a_record(world, noise, delivery="d2"))
    assert consume(world, batch) == {"batchItemFailures": [{"itemIdentifier": "d2"}]}
    assert len(pages(world)) == 1


def a_world_with_a_playbook(*, kill_switch: bool) -> VirtualWorld:
    playbook = Playbook(
        name="roll-back",
        owner="payments",
        review_by=a_team().rotas["payments"].starts,
        when={"service": "checkout"},
        action="roll_back_lambda_alias",
        target="cells",
        mode=Mode.FULL,
        hold_page_seconds=180,
    )
    world = a_world(a_team(playbooks=(playbook,)))
    world.store.write([Put({"PK": "CONTROL", "SK": "KILL", "on": kill_switch})])
    return world


@pytest.mark.parametrize(("kill_switch", "paged"), [(False, 0), (True, 1)], ids=["held", "kill switch on: not held"])
def test_only_a_full_mode_playbook_that_may_act_holds_the_page(kill_switch: bool, paged: int) -> None:
    world = a_world_with_a_playbook(kill_switch=kill_switch)
    consume(world, a_batch(a_record(world, an_alert(severity=Severity.SEV1))))
    assert len(pages(world)) == paged
    assert ("hold" in the_incident(world).clocks) == (not kill_switch)


def test_the_synthetic_alert_is_counted_and_opens_nothing() -> None:
    world = a_world()
    consume(world, a_batch(a_record(world, an_alert(source=synthetic.OURS, labels={synthetic.LABEL: "0"}))))
    assert all_incidents(world) == []
    assert world.metrics.counts["SyntheticAlert"] == 1


def test_an_alert_that_waited_days_in_a_queue_pages_nobody() -> None:
    world = a_world()
    record = a_record(world, an_alert())
    sent = int(world.now().timestamp() * 1000)
    world.clock.advance(2 * 86400)
    consume(world, a_batch({**record, "attributes": {"SentTimestamp": str(sent)}}))
    assert the_incident(world).noise
    assert pages(world) == []


def _down(*_: object, **__: object) -> Any:
    raise Unavailable("it is down")

"""What people say of an incident: is it on its timeline, counted once, and never lost where nobody reads mail?"""

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.ingest.consume import consume
from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.incident import State
from incident_bot.domain.label import Tally
from incident_bot.state import incidents, keys, labels, mailbox
from incident_bot.virtual import checkout
from incident_bot.virtual.clock import T0
from incident_bot.virtual.deployment import Deployment
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Put
from tests.asking import GRACE, ask
from tests.building import a_world, an_incident
from tests.deciding import says
from tests.signalling import a_batch, a_record, all_incidents, pages, the_incident
from tests.test_frugality import Counted, calls_of

PATH = "/v1/incidents/inc1/label"
KNOWN = {"fingerprints": ("v1:a", "v1:b"), "kind": "generic: errors", "rule": "orders"}
OVER = {"state": State.RESOLVED, "resolved_at": T0}


def tally(world: VirtualWorld, subject: str) -> Tally:
    return labels.tally(world.store.get_many([keys.stat(subject)]), subject)


def test_a_label_counts_for_every_alert_the_kind_and_the_rule() -> None:
    world = a_world(None, an_incident(**KNOWN))
    status, label = ask(world, "POST", PATH, {"label": "false-positive", "reason": "backup"}, caller=GRACE)
    assert (status, label["label"], label["by"], label["reason"]) == (200, "false-positive", "grace", "backup")
    assert {tally(world, s) for s in ("v1:a", "v1:b", "kind:generic: errors", "rule:orders")} == {Tally(0, 1)}
    assert ask(world, "GET", "/v1/incidents/inc1")[1]["label"]["label"] == "false-positive"


def test_somebody_may_change_their_mind_and_a_double_click_counts_once() -> None:
    world = a_world(None, an_incident(**KNOWN))
    for said in ("false-positive", "false-positive", "actionable", "actionable"):
        assert ask(world, "POST", PATH, {"label": said})[0] == 200
    assert tally(world, "v1:a") == Tally(1, 0)


def test_the_execution_of_an_open_incident_writes_it_on_the_timeline() -> None:
    world = a_world()
    deployment = Deployment(world, checkout.handlers(), checkout.definitions())
    deployment.invoke("consume", a_batch(a_record(world, says())))
    deployment.run_for(5)
    identifier = the_incident(world).id
    ask(world, "POST", f"/v1/incidents/{identifier}/label", {"label": "actionable", "reason": "a disk"})
    deployment.run_for(5)
    said = [(e["actor"], e["text"], e["reason"]) for e in incidents.timeline(world.store, identifier)]
    assert said.count(("ada", "labelled actionable", "a disk")) == 1
    assert tally(world, says().fingerprint) == Tally(1, 0)


@pytest.mark.parametrize("changes", [OVER, {**OVER, "generation": 0, "noise": True}, {"generation": 0, "noise": True}])
def test_where_no_execution_reads_mail_it_is_written_at_once(changes: dict[str, object]) -> None:
    world = a_world(None, an_incident(**{**KNOWN, **changes}))
    ask(world, "POST", PATH, {"label": "actionable", "reason": "it was real"})
    [entry] = incidents.timeline(world.store, "inc1")
    assert (entry["actor"], entry["kind"], entry["text"]) == ("ada", "note", "labelled actionable")
    assert world.machines.started == []


def test_an_incident_that_is_over_and_still_lifts_something_gets_it_by_mail() -> None:
    world = a_world(None, an_incident(**KNOWN, **OVER, clocks={"lift:a1": T0 + timedelta(hours=1)}))
    ask(world, "POST", PATH, {"label": "actionable"})
    (mail,) = mailbox.read(world, incidents.read(world.store, "inc1")).mails
    assert (mail.actor, mail.text) == ("ada", "labelled actionable")


def test_what_was_merged_is_labelled_where_people_worked_on_it() -> None:
    world = a_world(None, an_incident(**OVER, merged_into="inc0"))
    status, problem = ask(world, "POST", PATH, {"label": "actionable"})
    assert (status, problem["detail"]) == (409, "it was merged into inc0: label that")


def test_a_label_is_one_of_two_words() -> None:
    assert ask(a_world(None, an_incident()), "POST", PATH, {"label": "wrong"})[0] == 400


def test_rules_and_kinds_are_listed_by_their_share_of_false_positives() -> None:
    noisy, good = an_incident(**{**KNOWN, "rule": "noisy"}), an_incident(id="inc2", rule="good")
    world = a_world(None, noisy, good)
    ask(world, "POST", PATH, {"label": "false-positive"})
    ask(world, "POST", "/v1/incidents/inc2/label", {"label": "actionable"})
    found = [(r["of"], r["name"], r["false_positive_rate"]) for r in ask(world, "GET", "/v1/labels")[1]]
    assert found == [("kind", "generic: errors", 1.0), ("rule", "noisy", 1.0), ("rule", "good", 0.0)]


def test_a_tally_forgotten_meanwhile_is_not_less_than_nothing() -> None:
    world = a_world(None, an_incident(**KNOWN))
    ask(world, "POST", PATH, {"label": "false-positive"})
    del world.store._items[keys.stat("v1:a")]
    ask(world, "POST", PATH, {"label": "actionable"})
    assert tally(world, "v1:a") == Tally(1, 0)


def test_what_is_called_false_often_enough_pages_nobody_until_it_was_right_again() -> None:
    world = a_world()
    deployment = Deployment(world, checkout.handlers(), checkout.definitions())

    def happens(said: str) -> int:
        """The alert fires and clears, and somebody says what it was; returns how many pages that took."""
        before = len(pages(world))
        for status in (Status.FIRING, Status.RESOLVED):
            at = (world.now() - T0).total_seconds()
            deployment.invoke("consume", a_batch(a_record(world, says(status=status, at=at), delivery=f"d{at}")))
            deployment.run_for(100)
        last = all_incidents(world)[-1]
        assert last.state is State.RESOLVED
        ask(world, "POST", f"/v1/incidents/{last.id}/label", {"label": said})
        deployment.run_for(4000)
        return len(pages(world)) - before

    assert [happens("false-positive") for _ in range(8)] == [1, 1, 1, 1, 1, 1, 1, 0]
    assert len(all_incidents(world)) == 8
    assert "not paged: rota:payments would have been" in str(
        incidents.timeline(world.store, all_incidents(world)[-1].id)
    )
    assert [happens("actionable"), happens("actionable")] == [0, 1]


def test_repeats_of_what_is_not_believed_cost_one_read() -> None:
    world = replace(a_world(), store=Counted())
    pk, sk = keys.stat(says().fingerprint)
    world.store.write([Put({"PK": pk, "SK": sk, "false_positive": 9})])
    consume(world, a_batch(a_record(world, says())))
    assert (the_incident(world).severity, pages(world)) == (Severity.SEV3, [])
    calls_of(world).clear()
    consume(world, a_batch(a_record(world, says(), delivery="d2")))
    assert calls_of(world) == {"get_many": 1}

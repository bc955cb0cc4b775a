"""Splitting and merging by hand, over the real executions: what is on both timelines, and who is woken?"""

from collections.abc import Sequence
from typing import Any

import pytest

from incident_bot.domain.alert import Alert, Severity
from incident_bot.domain.incident import Incident, State
from incident_bot.domain.team import Service
from incident_bot.state import heads, incidents
from incident_bot.virtual import checkout
from incident_bot.virtual.clock import T0
from incident_bot.virtual.deployment import Deployment
from tests.asking import STRANGER, ask
from tests.building import a_team, a_world, an_incident
from tests.deciding import says
from tests.signalling import a_batch, a_record, all_incidents, pages

SERVICES = {
    "web": Service("web", "payments", tier=1, depends_on=("api",)),
    "api": Service("api", "payments", tier=2),
    "mail": Service("mail", "payments", tier=2),
}


class Account:
    """A deployment in memory with a person at the API."""

    def __init__(self, *alerts: Alert) -> None:
        self.world = a_world(a_team(services=SERVICES))
        self.deployment = Deployment(self.world, checkout.handlers(), checkout.definitions())
        for alert in alerts:
            self.says(alert)

    def says(self, alert: Alert) -> None:
        self.deployment.invoke("consume", a_batch(a_record(self.world, alert, delivery=f"d{id(alert)}")))
        self.deployment.run_for(5)

    def order(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        answer = ask(self.world, "POST", f"/v1/incidents/{path}", body)
        self.deployment.run_for(5)
        return answer

    @property
    def incidents(self) -> Sequence[Incident]:
        return all_incidents(self.world)

    def said(self, identifier: str) -> list[tuple[str, str, str]]:
        entries = incidents.timeline(self.world.store, identifier)
        return [(entry["actor"], entry["text"], entry["reason"]) for entry in entries]


def series(account: Account, identifier: str, service: str) -> dict[str, Any]:
    shown = ask(account.world, "GET", f"/v1/incidents/{identifier}")[1]["series"]
    found: dict[str, Any] = next(one for one in shown if one["service"] == service)
    return found


@pytest.mark.parametrize("by", ["group", "fingerprint"])
def test_what_is_split_off_is_on_both_timelines_and_pages(by: str) -> None:
    account = Account(says(service="api"), says(service="web"))
    (both,) = account.incidents
    one = series(account, both.id, "web")
    body = {"groups": [one["group"]]} if by == "group" else {"alerts": [one["fingerprint"]]}
    status, done = account.order(f"{both.id}/split", {**body, "reason": "another fault"})
    assert (status, done["pages"], done["by"]) == (200, True, "ada")
    old, new = account.incidents
    assert (new.id, new.service, set(new.firing)) == (done["incident"], "web", {one["fingerprint"]})
    assert set(old.firing) == {says(service="api").fingerprint}
    assert ("ada", f"split off from {old.id}", "another fault") in account.said(new.id)
    assert ("ada", f"alerts {one['group']} moved to {new.id}", "by-hand: another fault") in account.said(old.id)
    assert (new.pages, new.state) == (1, State.ACTIVE)
    assert len(pages(account.world)) == 2


def test_what_is_split_off_goes_its_own_way() -> None:
    account = Account(says(service="api"), says(service="web"))
    (both,) = account.incidents
    account.order(f"{both.id}/split", {"groups": [series(account, both.id, "web")["group"]], "reason": "x"})
    account.says(says("slow", service="web", at=12))
    old, new = account.incidents
    assert (len(old.firing), len(new.firing)) == (1, 2)


def test_a_merged_incident_ends_and_its_alerts_and_pages_are_the_other_s() -> None:
    account = Account(says(service="api", severity=Severity.SEV3), says(service="mail", severity=Severity.SEV1))
    one, other = account.incidents
    assert account.order(f"{other.id}/merge", {"into": one.id, "reason": "the same"})[0] == 200
    one, other = account.incidents
    assert (other.state, other.merged_into) == (State.RESOLVED, one.id)
    assert (len(one.firing), one.severity) == (2, Severity.SEV1)
    moved = [text for actor, text, reason in account.said(one.id) if (actor, reason) == ("ada", "by-hand: the same")]
    assert moved == [f"alerts {series(account, one.id, 'mail')['group']} moved here from {other.id}"]
    assert any("moved to" in text for actor, text, _ in account.said(other.id) if actor == "ada")
    assert any(page["dedup_key"] == other.id for page in pages(account.world))
    closed = [r.json["dedup_key"] for r in account.world.http.sent if r.json.get("event_action") == "resolve"]
    assert closed == [other.id]


def test_what_people_corrected_is_listed() -> None:
    account = Account(says(service="api"), says(service="web"), says(service="mail"))
    both, other = account.incidents
    account.order(f"{both.id}/split", {"groups": [series(account, both.id, "web")["group"]], "reason": "x"})
    account.order(f"{other.id}/merge", {"into": both.id, "reason": "x"})
    assert ask(account.world, "GET", "/v1/corrections")[1] == [
        {"services": ["api", "mail"], "joined": 1, "parted": 0},
        {"services": ["api", "web"], "joined": 0, "parted": 1},
    ]


def test_nothing_leaves_an_incident_while_something_of_it_is_in_flight() -> None:
    account = Account(says(service="api"), says(service="web"), says(service="mail"))
    both, other = account.incidents
    account.world.store.update(heads.action_started(both.scope, both.id, f"{both.id}-a1"))
    asked = {"groups": [series(account, both.id, "web")["group"]], "reason": "x"}
    for path, body in (("split", asked), ("merge", {"into": other.id, "reason": "x"})):
        status, problem = account.order(f"{both.id}/{path}", body)
        assert (status, problem["rule"]) == (409, "acting")
        assert "is in flight" in problem["detail"]
    assert len(account.incidents) == 2


WRONG = [
    ("inc1/split", {"groups": ["nowhere"], "reason": "x"}, 404),
    ("inc1/split", {"reason": "x"}, 400),
    ("inc1/split", {"groups": ["nowhere"]}, 400),
    ("inc1/merge", {"into": "inc1", "reason": "x"}, 409),
    ("inc1/merge", {"into": "none", "reason": "x"}, 404),
    ("over/merge", {"into": "inc1", "reason": "x"}, 409),
    ("inc1/merge", {"into": "over", "reason": "x"}, 409),
    ("inc1/merge", {"into": "noise", "reason": "x"}, 409),
    ("inc1/merge", {"into": "elsewhere", "reason": "x"}, 409),
    ("inc1/merge", {"into": "summary", "reason": "x"}, 409),
    ("inc1/merge", {"into": "inc2", "reason": "x"}, 409),  # it has no alert that could move
]


@pytest.mark.parametrize(("path", "body", "status"), WRONG)
def test_what_makes_no_sense_changes_nothing(path: str, body: dict[str, Any], status: int) -> None:
    world = a_world(
        None,
        an_incident(),
        an_incident(id="inc2"),
        an_incident(id="over", state=State.RESOLVED, resolved_at=T0),
        an_incident(id="noise", generation=0, noise=True),
        an_incident(id="elsewhere", scope="staging"),
        an_incident(id="summary", kind="storm"),
    )
    before = list(world.store)
    assert ask(world, "POST", f"/v1/incidents/{path}", body)[0] == status
    assert list(world.store) == before


def test_whoever_is_no_person_corrects_nothing() -> None:
    world = a_world(None, an_incident(), an_incident(id="inc2"))
    for path, body in (("split", {"groups": ["x"], "reason": "x"}), ("merge", {"into": "inc2", "reason": "x"})):
        assert ask(world, "POST", f"/v1/incidents/inc1/{path}", body, caller=STRANGER)[0] == 403

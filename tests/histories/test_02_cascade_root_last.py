"""History 2: a dependent's alert opens an incident, its root's alert comes last, and both consumers run at once."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from functions.ingest.consume import consume
from incident_bot.domain.alert import Alert
from incident_bot.domain.team import Team
from tests.building import a_service
from tests.histories.scene import ON_CALL, RESOLVED, Scene, an_alert_at, two_teams
from tests.remediating import Interrupted
from tests.signalling import a_batch, a_record

ROOT: Mapping[str, Any] = {"source": "alertmanager", "title": "OrdersDown", "identity": {"alertname": "OrdersDown"}}


def one_team() -> Team:
    """`orders` belongs to payments as well."""
    team = two_teams()
    return replace(team, services={**team.services, "orders": a_service("orders")})


def racing(team: Team, loser: Alert, winner: Alert) -> Scene:
    """Two consumers at once: when the loser has decided and is about to write, the winner writes."""
    scene = Scene(team)
    batches = {
        name: a_batch(a_record(scene.world, alert, delivery=name))
        for name, alert in (("loser", loser), ("winner", winner))
    }
    store = Interrupted(scene.world.store, first=lambda: consume(scene.world, batches["winner"]))
    parts: dict[str, Any] = {"store": store}
    assert consume(replace(scene.world, **parts), batches["loser"]) == {"batchItemFailures": []}
    scene.at(90)
    return scene


def dependent() -> Alert:
    return an_alert_at(0, "checkout")


def root() -> Alert:
    return an_alert_at(40, "orders", **ROOT)


def test_the_roots_transaction_wins_and_the_dependent_joins_what_it_sees_then() -> None:
    scene = racing(one_team(), loser=dependent(), winner=root())
    assert (scene.incident.service, scene.incident.alerts) == ("orders", 2)
    assert scene.pages == [(0, ON_CALL, "first")]
    assert scene.running() == [f"{scene.incident.id}-1"]
    assert scene.lines("signal")[1][2] == "downstream-of-root: checkout depends on orders, the root of that incident"


def test_the_dependents_transaction_wins_and_the_root_is_elected_anew() -> None:
    scene = racing(one_team(), loser=root(), winner=dependent())
    assert (scene.incident.service, scene.incident.alerts) == ("orders", 2)
    assert scene.pages == [(0, ON_CALL, "first")]
    assert scene.running() == [f"{scene.incident.id}-1"]
    elected = next(line for line in scene.lines("decision") if line[1] == "the probable root is orders now")
    assert elected[2] == "better-root: checkout, the root so far, depends on orders"


def late(*, acknowledged: bool) -> Scene:
    """The dependent's alert pages at 0 s, the root's comes 40 s later."""
    scene = Scene()
    scene.says("checkout")
    scene.at(20)
    if acknowledged:
        scene.acknowledged("ada")
    scene.at(40)
    scene.says("orders", **ROOT)
    scene.at(100)
    return scene


def test_before_an_acknowledgement_the_roots_owner_is_paged_once() -> None:
    scene = late(acknowledged=False)
    assert (scene.incident.service, scene.incident.owner) == ("orders", "platform")
    assert scene.pages == [(0, ON_CALL, "first"), (40, "Linus", "reassigned")]
    assert "reassigned from payments" in scene.last_page.text


def test_after_an_acknowledgement_the_roots_owner_is_told_and_nobody_woken() -> None:
    scene = late(acknowledged=True)
    assert scene.incident.owner == "platform"
    assert scene.pages == [(0, ON_CALL, "first")]
    assert any("the probable root is orders" in text for _, text in scene.world.notices.published)


def test_the_whole_cascade_ends_as_one_incident_with_every_page_closed() -> None:
    scene = late(acknowledged=False)
    scene.says("orders", RESOLVED, **ROOT)
    scene.says("checkout", RESOLVED)
    scene.at(300)
    assert scene.states()[-1] == (160, "resolved")
    assert scene.pager.open == {}


def test_two_consumers_with_the_same_alert_make_one_incident_and_one_page() -> None:
    scene = racing(one_team(), loser=an_alert_at(0, "checkout"), winner=an_alert_at(0, "checkout"))
    assert scene.pages == [(0, ON_CALL, "first")]
    assert scene.incident.alerts == 1
    assert scene.running() == [f"{scene.incident.id}-1"]


def test_two_incidents_of_the_same_root_become_one_when_it_shows_itself() -> None:
    """Both dependents alerted and paged before; the emptied incident ends as merged and its page is closed."""
    team = two_teams()
    services = {**team.services, "search": a_service("search", depends_on=("orders",))}
    scene = Scene(replace(team, services=services))
    scene.says("checkout")
    scene.says("search")
    apart = [incident.service for incident in scene.incidents]
    scene.at(40)
    scene.says("orders", **ROOT)
    scene.at(100)

    first, second = scene.incidents
    assert apart == ["checkout", "search"]
    assert (first.service, first.alerts) == ("orders", 3)
    assert (second.state, second.merged_into) == ("resolved", first.id)
    assert {key.split(".")[0] for key in scene.pager.open} == {first.id}

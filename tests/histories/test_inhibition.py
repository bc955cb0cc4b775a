"""Inhibition from end to end: what only follows from a known fault is recorded, and told when it outlasts it."""

from datetime import date, timedelta
from typing import Any

from incident_bot.domain.alert import Alert, Severity
from incident_bot.domain.team import Inhibition
from incident_bot.state import ledger, silences
from tests.histories.scene import FIRING, RESOLVED, Scene, two_teams

RULE = Inhibition("node-down", "platform", date(2027, 1, 1), {"title": "NodeDown"}, {"title": "Pod*"}, ("labels.node",))


def a_scene(*rules: Inhibition) -> Scene:
    return Scene(two_teams(inhibitions=rules or (RULE,)))


def says(scene: Scene, title: str, status: Any = FIRING, *, node: str = "n1", **changes: Any) -> Alert:
    """Nodes are of `orders`, pods of `checkout`: another incident."""
    service = "orders" if title.startswith("Node") else "checkout"
    identity = {"title": title, "node": node}
    return scene.says(service, status, title=title, identity=identity, labels={"node": node}, **changes)


def paged(scene: Scene) -> list[str]:
    """What first pages were for, in order."""
    return [line[1] for line in scene.pages if line[2] == "first"]


def noise(scene: Scene) -> list[str]:
    return [incident.title for incident in scene.incidents if incident.noise]


def test_what_a_known_fault_hides_is_recorded_with_the_reason_and_pages_nobody() -> None:
    scene = a_scene()
    says(scene, "NodeDown")
    scene.at(10)
    says(scene, "PodCrash")
    assert (len(paged(scene)), noise(scene)) == (1, ["PodCrash"])
    hidden = next(i for i in scene.incidents if i.noise)
    [(_, text, why)] = [line for line in scene.lines("decision", hidden) if line[1].startswith("not paged")]
    assert text.startswith(
        "not paged while NodeDown of orders fires, until 2026-01-15 16:00:00 UTC at most: rota:payments"
    )
    assert why == "inhibited: inhibition node-down (configuration, NodeDown of orders fires)"


def test_source_and_target_of_one_delivery() -> None:
    scene = a_scene()
    pod = scene.alert("checkout", title="PodCrash", identity={"t": "p"}, labels={"node": "n1"})
    node = scene.alert("orders", title="NodeDown", identity={"t": "n"}, labels={"node": "n1"})
    scene.account.send(pod, node)
    scene.at(5)
    assert noise(scene) == ["PodCrash"]


def test_another_node_hides_nothing() -> None:
    scene = a_scene()
    says(scene, "NodeDown")
    scene.at(10)
    says(scene, "PodCrash", node="n2")
    assert noise(scene) == []


def test_it_outlasts_its_source_and_pages_then() -> None:
    scene = a_scene()
    says(scene, "NodeDown")
    scene.at(10)
    says(scene, "PodCrash")
    scene.at(300)
    assert len(paged(scene)) == 1
    says(scene, "NodeDown", RESOLVED)
    scene.at(420)
    assert len(paged(scene)) == 2
    (kept,) = ledger.windows(scene.world.store)
    assert (kept.closed, [line.outcome for line in ledger.lines(scene.world.store, kept.window.id)]) == (
        True,
        ["fires"],
    )


def test_both_resolve_and_nobody_is_told() -> None:
    scene = a_scene()
    says(scene, "NodeDown")
    scene.at(10)
    says(scene, "PodCrash")
    scene.at(300)
    says(scene, "PodCrash", RESOLVED)
    says(scene, "NodeDown", RESOLVED)
    scene.at(600)
    assert len(paged(scene)) == 1


def test_a_source_that_is_silenced_hides_nothing() -> None:
    scene = a_scene()
    ends = scene.world.now() + timedelta(hours=1)
    silences.add(scene.world, "ada", {"title": "NodeDown"}, ends=ends, reason="known")
    says(scene, "NodeDown")
    scene.at(10)
    says(scene, "PodCrash")
    assert noise(scene) == ["NodeDown"]
    assert len(paged(scene)) == 1


def test_a_source_that_is_over_hides_nothing() -> None:
    scene = a_scene()
    says(scene, "NodeDown")
    scene.at(10)
    says(scene, "NodeDown", RESOLVED)
    scene.at(20)
    says(scene, "PodCrash")
    assert noise(scene) == []


def test_two_rules_that_hide_each_others_alerts_leave_one_that_is_told() -> None:
    other = Inhibition(
        "pod-crash", "platform", date(2027, 1, 1), {"title": "Pod*"}, {"title": "Node*"}, ("labels.node",)
    )
    scene = a_scene(RULE, other)
    says(scene, "NodeDown")
    scene.at(10)
    says(scene, "PodCrash")
    says(scene, "NodeDown", occurred=0)
    assert noise(scene) == ["PodCrash"]
    assert len(paged(scene)) == 1


def test_it_does_not_hide_for_ever() -> None:
    scene = a_scene(Inhibition(RULE.name, RULE.owner, RULE.review_by, RULE.source, RULE.target, RULE.equal, minutes=30))
    says(scene, "NodeDown")
    scene.at(60)
    says(scene, "PodCrash")
    scene.at(1920)
    assert len(paged(scene)) == 2


def test_repeats_of_both_write_nothing_more_on_the_timeline() -> None:
    scene = a_scene()
    says(scene, "NodeDown")
    scene.at(10)
    says(scene, "PodCrash")
    hidden = next(i for i in scene.incidents if i.noise)
    before = len(scene.lines("decision", hidden))
    for at in range(60, 360, 60):
        scene.at(at)
        says(scene, "NodeDown", occurred=0)
        says(scene, "PodCrash", occurred=10)
    assert len(scene.lines("decision", next(i for i in scene.incidents if i.noise))) == before


def test_a_worse_alert_than_the_rule_hides_is_told() -> None:
    rule = Inhibition("mild", "platform", date(2027, 1, 1), {"title": "NodeDown"}, {"severity": "sev[345]"})
    scene = a_scene(rule)
    says(scene, "NodeDown")
    scene.at(10)
    says(scene, "PodCrash", severity=Severity.SEV1)
    assert noise(scene) == []


def test_what_is_too_large_to_be_remembered_hides_nothing() -> None:
    """Two hundred sources share one item: their senders' labels must not fill it, or no alert could be taken in."""
    scene = a_scene()
    node = "n" * 2000
    says(scene, "NodeDown", node=node)
    scene.at(10)
    says(scene, "PodCrash", node=node)
    assert noise(scene) == []

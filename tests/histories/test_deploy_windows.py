"""Deploy windows end to end (O11): opened and closed by what pipelines tell, nothing lost, a failure told at once."""

import json
from datetime import date
from typing import Any

from incident_bot.domain.alert import Severity
from incident_bot.domain.deploys import Change
from incident_bot.domain.team import DeployWindow
from incident_bot.ingest import deploying, signals
from incident_bot.sources import read
from incident_bot.sources.codedeploy import SOURCE
from incident_bot.state import deploys, ledger
from tests.histories.scene import RESOLVED, Scene, two_teams

MILD = DeployWindow("mild", "platform", date(2027, 1, 1), {"severity": "sev[2345]"}, minutes=30)


def a_scene(*rules: DeployWindow) -> Scene:
    return Scene(two_teams(deploy_windows=rules or (MILD,)))


def event(scene: Scene, state: str, deployment: str = "d-1") -> dict[str, Any]:
    """What EventBridge says of a deployment of checkout at this moment."""
    example = next(e.body for e in SOURCE.examples if e.name == "one has only begun")
    detail = {**example["detail"], "state": state, "deploymentId": deployment}
    return {**example, "time": scene.world.now().isoformat(), "detail": detail}


def deploy(scene: Scene, state: str) -> None:
    scene.world.queue.send([json.dumps(event(scene, state))])
    scene.account.deployment.run_for(0)


def first_pages(scene: Scene) -> list[int]:
    return [at for at, _, purpose in scene.pages if purpose != "escalation"]


def test_what_fires_while_a_service_is_deployed_is_recorded_and_told_if_it_outlasts_it() -> None:
    scene = a_scene()
    deploy(scene, "START")
    scene.at(60)
    scene.says("checkout")
    assert (scene.pages, scene.incident.noise) == ([], True)
    scene.at(300)
    deploy(scene, "SUCCESS")
    assert first_pages(scene) == [300]
    (kept,) = ledger.windows(scene.world.store)
    assert (kept.closed, kept.window.reason) == (True, "d-1 of checkout is deployed")


def test_it_clears_with_the_deployment_and_nobody_is_told() -> None:
    scene = a_scene()
    deploy(scene, "START")
    scene.at(60)
    scene.says("checkout")
    scene.at(200)
    scene.says("checkout", RESOLVED)
    scene.at(300)
    deploy(scene, "SUCCESS")
    scene.at(900)
    assert scene.pages == []


def test_it_does_not_last_for_ever_though_the_pipeline_says_nothing_more() -> None:
    scene = a_scene()
    deploy(scene, "START")
    scene.at(60)
    scene.says("checkout")
    scene.at(1799)
    assert scene.pages == []
    scene.at(1870)
    assert len(first_pages(scene)) == 1


def test_another_service_and_a_worse_alert_page_as_ever() -> None:
    scene = a_scene()
    deploy(scene, "START")
    scene.at(10)
    scene.says("checkout", severity=Severity.SEV1, title="down", identity={"t": "down"})
    scene.says("orders", title="slow", identity={"t": "slow"})
    assert not any(incident.noise for incident in scene.incidents)
    assert first_pages(scene)


def test_a_failed_deployment_is_told_though_the_window_would_fit_it() -> None:
    scene = a_scene(DeployWindow("all", "platform", date(2027, 1, 1), {"service": "*"}, minutes=30, settle_minutes=10))
    deploy(scene, "START")
    scene.at(60)
    scene.says("checkout")
    scene.at(120)
    deploy(scene, "FAILURE")
    scene.at(125)
    assert not any(incident.noise for incident in scene.incidents)


def test_after_a_success_it_may_settle() -> None:
    scene = a_scene(
        DeployWindow("mild", "platform", date(2027, 1, 1), {"severity": "sev2"}, minutes=30, settle_minutes=5)
    )
    deploy(scene, "START")
    scene.at(60)
    deploy(scene, "SUCCESS")
    scene.at(120)
    scene.says("checkout")
    scene.at(359)
    assert scene.pages == []
    scene.at(425)
    assert len(first_pages(scene)) == 1


def test_a_service_that_is_deployed_all_the_time_is_told_of_after_an_hour() -> None:
    scene = a_scene(
        DeployWindow("mild", "platform", date(2027, 1, 1), {"severity": "sev2"}, minutes=30, settle_minutes=5)
    )
    for n in range(30):
        scene.at(180 * n)
        for state in ("START", "SUCCESS"):
            scene.world.queue.send([json.dumps(event(scene, state, f"d-{n}"))])
            scene.account.deployment.run_for(0)
        if n in (1, 19):
            scene.says("checkout", identity={"said": str(n)})
    assert len(first_pages(scene)) == 1
    assert 3600 <= first_pages(scene)[0] < 3800
    assert any("followed another since" in kept.window.reason for kept in ledger.windows(scene.world.store))


def test_without_a_rule_the_record_is_kept_and_nothing_is_suppressed() -> None:
    scene = Scene()
    deploy(scene, "START")
    scene.at(60)
    scene.says("checkout")
    assert first_pages(scene) == [60]
    (known,) = deploys.read(scene.world.store, "checkout")
    assert (known.source, known.id, known.ends) == ("codedeploy", "d-1", None)


def test_the_same_end_again_tells_nobody_again() -> None:
    scene = a_scene()
    deploy(scene, "START")
    scene.at(60)
    scene.says("checkout")
    scene.at(300)
    body = json.dumps(event(scene, "SUCCESS"))
    scene.world.queue.send([body, body])
    scene.at(600)
    assert len(first_pages(scene)) == 1


def test_a_webhooks_changes_reach_the_record_through_the_queue() -> None:
    scene = a_scene()
    change = Change("github", "shop/checkout-77", "checkout", scene.world.now(), ended=False, version="3b18e5")
    scene.world.queue.send(signals.packed("github", "delivery-1", scene.world.now(), (), changes=[change]))
    scene.account.deployment.run_for(0)
    assert [d.version for d in deploys.read(scene.world.store, "checkout")] == ["3b18e5"]


def test_a_deployment_of_a_resource_is_its_services() -> None:
    scene = Scene()
    resource = scene.world.team.services["checkout"].resources[0].arn
    change = Change("ecs", "ecs-svc/1", "shop-checkout", scene.world.now(), ended=False, resource=resource)
    assert deploying.note(scene.world, change) == "checkout"


def test_every_state_that_codedeploy_tells_is_a_beginning_or_an_end() -> None:
    scene = Scene()
    said = {}
    for state in ("START", "READY", "SUCCESS", "FAILURE", "STOP"):
        parsed = read(SOURCE, event(scene, state), scene.world.now())
        said[state] = [(change.ended, change.failed) for change in parsed.changes]
    assert said == {
        "START": [(False, False)],
        "READY": [],
        "SUCCESS": [(True, False)],
        "FAILURE": [(True, True)],
        "STOP": [(True, True)],
    }

"""Shared change end to end: what fires after one deployment is one incident, which names the deployment."""

from dataclasses import replace

import pytest

from incident_bot.domain.deploys import Change
from incident_bot.ingest import signals
from tests.building import a_service
from tests.histories.scene import Scene, two_teams


def a_scene() -> Scene:
    """`checkout` and `mail` have nothing to do with each other; `post` is of the team that `checkout` is of."""
    team = two_teams()
    more = {"mail": a_service("mail", owner="platform"), "post": a_service("post")}
    return Scene(replace(team, services={**team.services, **more}))


def deploy(scene: Scene, service: str, version: str) -> None:
    now = scene.world.now()
    change = Change("github", f"shop/{service}-1", service, now, ended=False, version=version)
    scene.world.queue.send(signals.packed("github", f"deploy-{service}", now, (), changes=[change]))
    scene.account.deployment.run_for(0)


def test_what_follows_one_deployment_is_one_incident_that_names_it() -> None:
    scene = a_scene()
    for service in ("checkout", "mail"):
        deploy(scene, service, "3b18e512")
    scene.at(60)
    scene.says("checkout")
    scene.at(90)
    scene.says("mail")
    scene.at(95)
    joined = [why for _, text, why in scene.lines("signal") if "of mail" in text or "shared-change" in why]
    assert joined == ["shared-change: mail and checkout both follow 3b18e512, 90 s before"]
    assert scene.incident.alerts == 2


@pytest.mark.parametrize(
    "versions",
    [("3b18e512", "77aa0134"), ("3b18e512", ""), ("latest", "latest")],
    ids=["two versions", "one was not deployed", "a version that may be anybody's"],
)
def test_what_follows_no_common_deployment_is_two_incidents(versions: tuple[str, str]) -> None:
    scene = a_scene()
    for service, version in zip(("checkout", "mail"), versions, strict=True):
        if version:
            deploy(scene, service, version)
    scene.at(60)
    scene.says("checkout")
    scene.at(90)
    scene.says("mail")
    scene.at(95)
    assert len(scene.incidents) == 2


@pytest.mark.parametrize(
    ("other", "change", "deployed", "incidents"),
    [
        ("mail", "CHG-7", False, 2),
        ("post", "CHG-7", False, 1),
        ("mail", "3b18e512", False, 2),
        ("mail", "3b18e512", True, 1),
    ],
    ids=["of another team", "of the same team", "a commit that nobody deployed", "a commit that both were deployed to"],
)
def test_alerts_that_name_one_change_are_one_incident_where_more_than_they_says_so(
    other: str, change: str, deployed: bool, incidents: int
) -> None:
    scene = a_scene()
    for service in ("checkout", other) if deployed else ():
        deploy(scene, service, change)
    scene.says("checkout", labels={"change_id": change})
    scene.at(30)
    scene.says(other, labels={"change_id": change})
    scene.at(40)
    assert len(scene.incidents) == incidents

"""How a deployment is told of at the terminal, and what its window does."""

from datetime import date
from pathlib import Path

from functions.ingest.consume import consume
from incident_bot.domain.team import DeployWindow
from tests.building import a_team, a_world
from tests.cli.running import Desk
from tests.deciding import says
from tests.signalling import a_batch, a_record, pages

RULE = DeployWindow("mild", "payments", date(2027, 1, 1), {"severity": "sev[2345]"})


def test_it_opens_a_window_closes_it_and_tells_what_still_fires(tmp_path: Path) -> None:
    world = a_world(a_team(deploy_windows=(RULE,)))
    desk = Desk(world, tmp_path)
    (begun,) = desk.run("deploy-window", "open", "checkout", "--version", "1.42.0", "--json").json
    assert (begun["service"], begun["version"], begun["by"], begun["ends"]) == ("checkout", "1.42.0", "ada", None)
    consume(world, a_batch(a_record(world, says())))
    assert pages(world) == []
    assert [w["kind"] for w in desk.run("ledger", "--json").json] == ["deploy"]
    world.clock.advance(60)
    (over,) = desk.run("deploy-window", "close", "checkout", "--json").json
    assert (over["id"], over["failed"]) == (begun["id"], False)
    consume(world, a_batch(*({"messageId": m.id, "body": m.body} for m in world.queue.receive(10))))
    assert len(pages(world)) == 1
    assert "1.42.0" in desk.run("deploy-window", "list", "checkout").out


def test_a_service_that_nobody_deployed_has_none(tmp_path: Path) -> None:
    assert Desk(a_world(), tmp_path).run("deploy-window", "list", "orders").out.strip() == "no deployments"

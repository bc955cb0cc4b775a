"""Is a restart, which repeats itself by nature, made once and recognised as made?"""

from incident_bot.actions.restart_ecs_service import ACTION
from incident_bot.domain.plan import Call
from incident_bot.virtual.surroundings import MemoryClients
from tests.actions import shop
from tests.actions.shop import CELLS, want


class Deploying:
    """ECS as moto has it, but for one thing: as in ECS, a forced deployment has an id of its own."""

    def __init__(self, client: shop.Counted) -> None:
        self._client = client
        self._forced: dict[str, int] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)

    def update_service(self, **arguments: object) -> object:
        if arguments.get("forceNewDeployment"):
            name = str(arguments["service"])
            self._forced[name] = self._forced.get(name, 0) + 1
        return self._client.update_service(**arguments)

    def describe_services(self, cluster: str, services: list[str]) -> dict[str, list[dict[str, object]]]:
        found: dict[str, list[dict[str, object]]] = self._client.describe_services(cluster=cluster, services=services)
        for service in found["services"]:
            number = self._forced.get(str(service["serviceName"]), 0)
            service["deployments"] = [{"id": f"ecs-svc/{number}", "status": "PRIMARY"}]
        return found


def a_restart() -> tuple[Call, MemoryClients, shop.Counted]:
    client = shop.services()
    clients = shop.world(ecs=Deploying(client))
    return ACTION.plan(want(CELLS[0]), clients).steps[0].forward, clients, client


def test_it_is_recognised_once_it_is_made() -> None:
    call, clients, _ = a_restart()
    before = ACTION.look(call, clients)

    ACTION.make(call, clients)

    assert (before, ACTION.look(call, clients)) == ("not applied", "applied")


def test_it_runs_the_same_task_definition() -> None:
    call, clients, client = a_restart()

    ACTION.make(call, clients)

    assert shop.running(client, CELLS[0]) == "orders:2"


def test_a_deploy_that_came_meanwhile_is_drift() -> None:
    call, clients, client = a_restart()
    client.update_service(cluster="shop", service="orders-cell-a", taskDefinition="orders:1")

    assert ACTION.look(call, clients) == "drifted"


def test_there_is_nothing_to_undo() -> None:
    clients = shop.world(ecs=shop.services())

    assert [step.inverse for step in ACTION.plan(want(*CELLS), clients).steps] == [None, None]

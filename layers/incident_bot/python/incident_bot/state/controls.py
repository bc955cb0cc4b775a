"""What people switch at run time: the kill switch and the modes that playbooks earned."""

from collections.abc import Mapping

from incident_bot.domain.team import Mode
from incident_bot.state import keys
from incident_bot.world import Item, Store

MODE = "MODE#"


def kill_switch(store: Store) -> bool:
    """Whether the kill switch is on. Until somebody configured it, it is."""
    return _engaged(store.get(keys.KILL))


def automation(store: Store) -> tuple[bool, Mapping[str, Mode]]:
    """The kill switch and every earned mode, in one read."""
    items = {item["SK"]: item for item in store.query(keys.KILL[0])}
    modes = {name.removeprefix(MODE): item.get("mode") for name, item in items.items() if name.startswith(MODE)}
    earned = {playbook: Mode(mode) for playbook, mode in modes.items() if mode}
    return _engaged(items.get(keys.KILL[1])), earned


def _engaged(item: Item | None) -> bool:
    return item is None or bool(item.get("on", True))

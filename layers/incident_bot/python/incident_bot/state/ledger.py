"""The ledger of suppression: each window, what it suppressed, whom that would have woken, how it stood at its end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from incident_bot.domain.errors import NotFound
from incident_bot.domain.shape import dump, load
from incident_bot.domain.suppress import Suppressed, Window
from incident_bot.state import keys
from incident_bot.world import ABSENT, Item, Put, Store, Update, Write

KEPT = timedelta(days=90)  # after its end
LOOKED_AT = timedelta(seconds=60)
LATER = timedelta(seconds=2)  # a window is closed when it is over by every function's clock
AT_ONCE = 90  # writes in one transaction
CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Kept:
    """A window as the ledger keeps it, and whether what it suppressed was looked at after its end."""

    window: Window
    closed: bool


def opening(window: Window) -> Put:
    """The write that enters a window; due for `sweep` at its end."""
    return Put(_item(window), {"PK": ABSENT})


def entering(window: Window, now: datetime) -> Update:
    """The same where it may be there already, as it is; an inhibition is due before its end, as its source may end."""
    fields = {name: value for name, value in _item(window).items() if name not in ("PK", "SK")}
    if window.source:
        fields |= keys.due(keys.window(window.id), min(window.ends, now + LOOKED_AT))
    return Update(keys.window(window.id), set=fields)


def ending(window: Window) -> Update:
    """The write that ends a window at its new end, due at once."""
    times = {"starts": dump(window.starts), "ends": dump(window.ends)}
    return Update(keys.window(window.id), set={**times, **_due(window)})


def closing(window: Window) -> Update:
    """The write that closes a window."""
    return Update(keys.window(window.id), set={"state": CLOSED}, remove=keys.NOT_DUE)


def noting(line: Suppressed) -> Update:
    """The write that notes a suppressed alert; the same series again counts on the same line."""
    fields = {**dump(line), "ttl": int((line.until + KEPT).timestamp())}
    counted = int(fields.pop("times"))
    return Update(keys.suppressed(line.window, line.scope, line.fingerprint), set=fields, add={"times": counted})


def read(store: Store, identifier: str) -> Kept:
    """The window of that id; NotFound."""
    item = store.get(keys.window(identifier))
    if item is None:
        raise NotFound(f"there is no window {identifier} in the ledger")
    return of(item)


def of(item: Item) -> Kept:
    """The window that the item says."""
    return Kept(load(Window, item), item.get("state") == CLOSED)


def windows(store: Store) -> list[Kept]:
    """Every window that is kept."""
    return [of(item) for item in store.query(keys.LEDGER, "WINDOW#")]


def lines(store: Store, window: str) -> list[Suppressed]:
    """What a window suppressed, a line for each series."""
    return [load(Suppressed, item) for item in store.query(f"{keys.LEDGER}#{window}")]


def settle(store: Store, told: Iterable[tuple[Suppressed, str]]) -> None:
    """Write down how each series stood when its window ended."""
    writes: Sequence[Write] = [_settled(replace(line, outcome=outcome)) for line, outcome in told]
    for start in range(0, len(writes), AT_ONCE):
        store.write(writes[start : start + AT_ONCE])


def _settled(line: Suppressed) -> Update:
    return Update(keys.suppressed(line.window, line.scope, line.fingerprint), set={"outcome": line.outcome})


def _item(window: Window) -> Item:
    pk, sk = keys.window(window.id)
    return {"PK": pk, "SK": sk, **dump(window), "state": "open", **_due(window)}


def _due(window: Window) -> dict[str, object]:
    expires = int((window.ends + KEPT).timestamp())
    return {"ttl": expires, **keys.due(keys.window(window.id), window.ends + LATER)}

"""What happens to the shop from outside, set by a story and read by the traffic simulator through one small file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.background import STATE


@dataclass(frozen=True, slots=True)
class Weather:
    """A surge of customers at the checkout; the supplier that search depends on being broken."""

    surge: bool = False
    downstream_broken: bool = False


def read(state: Path = STATE) -> Weather:
    """The weather now; calm when nobody has set any."""
    path = _path(state)
    return Weather(**json.loads(path.read_text())) if path.exists() else Weather()


def change(state: Path = STATE, *, surge: bool | None = None, downstream_broken: bool | None = None) -> Weather:
    """Change what is given and leave the rest; seen by the simulator at its next tick."""
    now = read(state)
    weather = Weather(
        surge=now.surge if surge is None else surge,
        downstream_broken=now.downstream_broken if downstream_broken is None else downstream_broken,
    )
    path = _path(state)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(weather)))
    fresh.replace(path)  # a reader sees the old weather or the new one, never half of it
    return weather


def _path(state: Path) -> Path:
    return state / "traffic" / "weather.json"

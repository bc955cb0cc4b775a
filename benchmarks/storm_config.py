"""A team's configuration for a storm: `python -m benchmarks.storm_config CONTEXT_JSON OUT_DIR` writes the directory.

CONTEXT_JSON says what a team knows beforehand: its services with owner, tier and what they call, and planned work
(seconds after T0). What the alerts will be it does not say.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from incident_bot.domain.clock import rfc3339
from incident_bot.virtual.clock import T0

OVERRUN = 300  # planned work seldom ends on the minute
LIMITS = {"*": {"environments": ["production"]}}
CORRELATION = {
    "gather_seconds": 60,
    "join_window": 120,  # so many services fail in a storm that what began long ago explains little
    "siblings_seconds": 45,
    "agree": 3,  # of a thousand series some warn for a minute now and then
}
TIMING = {
    "quiet_period": 110,  # longer than a series mostly is clear between two flaps
    "cause_wait": 25,
    "stale_after": 900,  # its senders repeat what fires every minute
}


def files(context: Mapping[str, Any], t0: datetime = T0) -> dict[str, Any]:
    """The content of every file of the directory, by its name without `.yaml`."""
    known = context["services"]
    correlation = CORRELATION if any(s["calls"] for s in known.values()) else {**CORRELATION, "together_seconds": 60}
    return {
        "services": {"services": {name: _service(name, service) for name, service in known.items()}},
        "people": _people(sorted({service["owner"] for service in known.values()})),
        "rules": {
            "rules": [],
            "timing": TIMING,
            "correlation": correlation,
            "maintenance": [_planned(work, t0) for work in context.get("maintenance", ())],
        },
        "playbooks": {"playbooks": []},
        "guardrails": {"limits": LIMITS},
        "channels": {"channels": {"pagerduty": {}, "sns": {}}},
    }


def _service(name: str, service: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "owner": service["owner"],
        "tier": service["tier"],
        "depends_on": list(service["calls"]),
        "alarms": [f"prod-{name}-"],
    }


def _people(owners: list[str]) -> dict[str, Any]:
    steps = [{"notify": ["rota:everybody"], "channels": ["pagerduty", "sns"], "wait_seconds": 600}]
    return {
        "people": {"ada": {"name": "Ada", "arns": ["arn:aws:iam::111122223333:user/ada"]}},
        "rotas": {"everybody": {"timezone": "UTC", "starts": "2026-01-05", "handover": "09:00", "people": ["ada"]}},
        "groups": {name: {"pager": {"pagerduty": "channels/pagerduty/everybody"}, "steps": steps} for name in owners},
        "default_group": owners[0],
    }


def _planned(work: Mapping[str, Any], t0: datetime) -> dict[str, Any]:
    return {
        "name": f"{work['service']} from {work['from']:.0f} s on",
        "starts": rfc3339(t0 + timedelta(seconds=work["from"])),
        "ends": rfc3339(t0 + timedelta(seconds=work["to"] + OVERRUN)),
        "when": {"service": work["service"]},
    }


def write(context: Mapping[str, Any], directory: Path, t0: datetime = T0) -> None:
    """Write the directory; what is in it already under those names is overwritten."""
    directory.mkdir(parents=True, exist_ok=True)
    yaml = YAML()
    yaml.representer.ignore_aliases = lambda _: True
    for name, content in files(context, t0).items():
        with (directory / f"{name}.yaml").open("w") as file:
            yaml.dump(content, file)


def main(arguments: list[str]) -> int:
    """Read the context and write the directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("context", type=Path, metavar="CONTEXT_JSON")
    parser.add_argument("directory", type=Path, metavar="OUT_DIR")
    given = parser.parse_args(arguments)
    write(json.loads(given.context.read_text()), given.directory)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

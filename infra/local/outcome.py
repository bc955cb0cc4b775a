"""After the demo: reads in the emulator and at the receivers themselves whether what the stories tell really happened.

python -m infra.local.outcome          exit status 0 when everything holds
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local import laptop as laptops
from infra.local.background import STATE
from infra.local.laptop import Laptop, NotUp
from infra.local.production import CHECKOUT, GOOD_ORDERS, RELEASES
from infra.local.scene import OVER, pages

Ending = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must be so, in words, and whether it is."""

    text: str
    holds: bool


def check(laptop: Laptop, endings: Mapping[str, Ending]) -> list[Finding]:
    """Everything that must be so after these stories."""
    return [*_stories(endings), *_production(laptop), *_calls(laptop, endings), *_pages(laptop, endings)]


def _stories(endings: Mapping[str, Ending]) -> Iterator[Finding]:
    for name, ending in endings.items():
        yield Finding(
            f"{name}: told to its end" + "".join(f"; {wrong}" for wrong in ending["wrong"]), not ending["wrong"]
        )


def _production(laptop: Laptop) -> Iterator[Finding]:
    state = laptop.production.read_state()
    reserved = state.functions[CHECKOUT].reserved_concurrency
    yield Finding(f"{CHECKOUT}: reserved concurrency is {reserved or 'what it was, none'}", reserved is None)
    for name, service in state.services.items():
        yield Finding(f"{name} runs {service.task_definition}", service.task_definition == GOOD_ORDERS)
    for name, function in state.functions.items():
        yield Finding(
            f"{name}:live is on version {function.live_version}", function.live_version == str(len(RELEASES[name]))
        )
    for name, alarm in state.alarms.items():
        yield Finding(f"alarm {name} is {alarm}", alarm == "OK")


def _calls(laptop: Laptop, endings: Mapping[str, Ending]) -> Iterator[Finding]:
    """The bot's own record of the calls it made: the emulator has no CloudTrail."""
    wanted = {
        ("checkout", "storm"): ("lambda:put_function_concurrency", "lambda:delete_function_concurrency"),
        ("orders", "deploy"): ("ecs:update_service",),
        ("search", "supplier"): ("lambda:update_alias",),
    }
    for (name, role), calls in wanted.items():
        ending = endings.get(name, {})
        incident = ending.get("incidents", {}).get(role)
        if not incident or ending["rejected"]:
            continue
        shown = laptop.operator("alice").get(f"/v1/incidents/{incident}").body
        told = "\n".join(entry["text"] for entry in shown["timeline"])
        for call in calls:
            yield Finding(f"{name}: the timeline has {call}", call in told)


def _pages(laptop: Laptop, endings: Mapping[str, Ending]) -> Iterator[Finding]:
    for name, ending in endings.items():
        for role, incident in ending["incidents"].items():
            wanted, got = ending["expected_pages"][role], len(pages(laptop, incident))
            yield Finding(f"{name}: {role} paged {_times(got)}, {_times(wanted)} expected", got == wanted)
            state = laptop.operator("alice").get(f"/v1/incidents/{incident}").body["state"]
            yield Finding(f"{name}: {role} is {state}", state in OVER)


def _times(count: int) -> str:
    return {0: "nobody", 1: "once"}.get(count, f"{count} times")


def main() -> None:
    """Check what the last demo of this checkout left."""
    path = STATE / "story.json"
    try:
        laptop = laptops.find()
    except NotUp as not_up:
        sys.exit(str(not_up))
    if not path.exists():
        sys.exit("no demo has been told here")
    findings = check(laptop, json.loads(path.read_text()))
    for finding in findings:
        print(f"{'ok  ' if finding.holds else 'FAIL'} {finding.text}")
    sys.exit(0 if all(finding.holds for finding in findings) else 1)


if __name__ == "__main__":
    main()

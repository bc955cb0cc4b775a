"""After the demo: reads in the emulator and at the receivers themselves whether what the stories tell really happened.

python -m infra.local.outcome          exit status 0 when everything holds
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from incident_bot.domain.timeline import flaws
from infra.local import laptop as laptops
from infra.local.background import STATE
from infra.local.laptop import Laptop, NotUp
from infra.local.paged import pages
from infra.local.production import CHECKOUT, GOOD_ORDERS, RELEASES
from infra.local.scene import OVER

TOLD = "story.json"
CALLS = {
    "checkout": ("lambda:put_function_concurrency", "lambda:delete_function_concurrency"),
    "orders": ("ecs:update_service", "ecs:update_service"),
    "search": ("lambda:update_alias", "lambda:update_alias"),
}

Ending = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Telling:
    """One telling of the stories, as it was written down: from when to when, and how each story ended."""

    began: str
    ended: str
    stories: Mapping[str, Ending]

    @staticmethod
    def of(state: Path) -> "Telling | None":
        """The last one, if it was told to its end."""
        path = state / TOLD
        return Telling(**json.loads(path.read_text())) if path.exists() else None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must be so, in words, and whether it is."""

    text: str
    holds: bool


def check(laptop: Laptop, telling: Telling) -> list[Finding]:
    """Everything that must be so after these stories."""
    found = [*_production(laptop)]
    for name, ending in telling.stories.items():
        found += [*_story(name, ending), *_changes(name, ending), *_incidents(laptop, name, ending)]
    return [*found, *_strays(laptop, telling), *_lost(laptop, telling)]


def _production(laptop: Laptop) -> Iterator[Finding]:
    """Everything that the bot changed for a while is as it was, and what it repaired is repaired."""
    state = laptop.production.read_state()
    reserved = state.functions[CHECKOUT].reserved_concurrency
    yield Finding(f"{CHECKOUT}: reserved concurrency is {reserved or 'what it was, none'}", reserved is None)
    for name, service in state.services.items():
        yield Finding(f"{name} runs {service.task_definition}", service.task_definition == GOOD_ORDERS)
    for name, function in state.functions.items():
        newest = str(len(RELEASES[name]))
        yield Finding(f"{name}:live is on version {function.live_version}", function.live_version == newest)
    for name, alarm in state.alarms.items():
        yield Finding(f"alarm {name} is {alarm}", alarm == "OK")


def _story(name: str, ending: Ending) -> Iterator[Finding]:
    wrong = "; ".join(ending["wrong"])
    yield Finding(f"{name}: {wrong or 'went as promised'}", not wrong)


def _changes(name: str, ending: Ending) -> Iterator[Finding]:
    """What AWS itself showed while the story ran, read there by the story and not by the bot."""
    rest = iter(ending["observed"])
    for change in ending["expected_changes"]:
        yield Finding(f"{name}: AWS showed that {change}", change in rest)


def _incidents(laptop: Laptop, name: str, ending: Ending) -> Iterator[Finding]:
    for role, incident in ending["incidents"].items():
        operator = laptop.operator("alice")
        shown = operator.get(f"/v1/incidents/{incident}").body
        wanted, got = ending["expected_pages"][role], len(pages(laptop.receivers, incident))
        yield Finding(f"{name}: {role} paged {_times(got)}, {_times(wanted)} expected", got == wanted)
        yield Finding(f"{name}: {role} is {shown['state']}", shown["state"] in OVER)
        trail = operator.get(f"/v1/audit/{incident}").body
        wrong = flaws(trail["entries"], trail["seq"], trail["head"])
        yield Finding(f"{name}: {role} has a whole audit chain of {trail['seq']} entries", not wrong)
        if not ending["rejected"]:
            yield from _calls(name, shown["timeline"])


def _calls(name: str, timeline: list[Mapping[str, Any]]) -> Iterator[Finding]:
    """The bot's own record of the calls that changed something."""
    rest = iter([entry["text"] for entry in timeline if entry["kind"] == "call"])
    for call in CALLS.get(name, ()):
        yield Finding(f"{name}: the timeline has {call}", any(call in text for text in rest))


def _strays(laptop: Laptop, telling: Telling) -> Iterator[Finding]:
    """Nothing was opened while the stories ran that is not theirs."""
    began, ended = datetime.fromisoformat(telling.began), datetime.fromisoformat(telling.ended)
    theirs = {incident for ending in telling.stories.values() for incident in ending["incidents"].values()}
    rows = laptop.operator("alice").get("/v1/incidents?limit=200").body
    strays = [
        row["id"]
        for row in rows
        if began <= datetime.fromisoformat(row["opened_at"]) <= ended and row["id"] not in theirs
    ]
    yield Finding(f"no incident is anybody else's{''.join(f'; {stray}' for stray in strays)}", not strays)


def _lost(laptop: Laptop, telling: Telling) -> Iterator[Finding]:
    """Nothing ended in the dead-letter queue, and the receivers could verify all that they got meanwhile."""
    attributes = laptop.client("sqs").get_queue_attributes(
        QueueUrl=laptop.outputs.dead_letter_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]
    dead = int(attributes["ApproximateNumberOfMessages"])
    yield Finding(f"the dead-letter queue holds {dead} messages", dead == 0)
    records = [record for channel in ("pagerduty", "webhook", "sns") for record in laptop.receivers.records(channel)]
    meanwhile = [record for record in records if telling.began <= record["received_at"] <= telling.ended]
    refused = [record["reason"] for record in meanwhile if not record["accepted"]]
    text = f"the receivers verified all {len(meanwhile)} messages" + "".join(f"; {reason}" for reason in refused)
    yield Finding(text, not refused)


def _times(count: int) -> str:
    return {0: "nobody", 1: "once"}.get(count, f"{count} times")


def main() -> None:
    """Check what the last demo of this checkout left."""
    telling = Telling.of(STATE)
    if telling is None:
        sys.exit("no demo was told to its end here")
    try:
        laptop = laptops.find()
    except NotUp as not_up:
        sys.exit(str(not_up))
    findings = check(laptop, telling)
    for finding in findings:
        print(f"{'ok  ' if finding.holds else 'FAIL'} {finding.text}")
    sys.exit(0 if all(finding.holds for finding in findings) else 1)


if __name__ == "__main__":
    main()

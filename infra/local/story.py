"""`make demo`: brings the laptop target up and tells four stories on it, live; its exit status tells the outcome.

    python -m infra.local.story            (CI=true, or no terminal: decides by script)

It leaves everything running, says how to go on, and writes down what it expects for `infra.local.outcome` to check.
"""

import fcntl
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from infra.local import laptop as laptops
from infra.local import shop_weather
from infra.local.background import STATE, AlreadyRunning
from infra.local.deploy import DeployFailed
from infra.local.emulator import EmulatorFailed, PortTaken
from infra.local.laptop import Laptop
from infra.local.outcome import check
from infra.local.receivers import ReceiversFailed
from infra.local.scene import OVER, Interrupted, Question, Scene, Stuck
from infra.local.stories import STORIES, Ending, is_over
from infra.local.telling import Narrator, has_a_person
from infra.local.traffic import TrafficFailed

STARTS = "Incident Bot on a laptop: a small shop, four stories at once"
EXPECTED = "story.json"
APART_SECONDS = 4.0  # two cores start the functions of all four at once only slowly
CANNOT_START = (
    AlreadyRunning,
    DeployFailed,
    EmulatorFailed,
    PortTaken,
    ReceiversFailed,
    TrafficFailed,
    BotoCoreError,
    ClientError,
)


class Told:
    """One story in its own thread, and how it ended."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.ending = Ending()
        self._thread = threading.Thread(target=self._run, name=scene.name, daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.ending = STORIES[self.scene.name](self.scene)
        except Interrupted:
            self.ending.wrong.append("interrupted")
        except (Stuck, httpx.HTTPError, BotoCoreError, ClientError) as problem:
            self.ending.wrong.append(str(problem))
            self.scene.say(f"the story broke off: {problem}")


def main() -> None:
    """Bring up, tell, check, and say how to go on."""
    tell = Narrator()
    try:
        with _alone(STATE), _fine_weather():
            sys.exit(_demo(tell))
    except KeyboardInterrupt:
        tell.say("\nStopped. What runs goes on running: `make demo` takes it up again, `make stop` ends it.")
        sys.exit(130)


def _demo(tell: Narrator) -> int:
    tell.title(STARTS)
    try:
        laptop = laptops.bring_up(say=tell.step)
    except CANNOT_START as problem:
        tell.say(f"The demo cannot start: {problem}", "bold red")
        return 1
    _calm(laptop, tell)
    told = _all_told(laptop, tell)
    endings = {story.scene.name: story.ending for story in told}
    (STATE / EXPECTED).write_text(json.dumps({name: asdict(ending) for name, ending in endings.items()}, indent=2))
    if endings["checkout"].postmortem:
        tell.title("The postmortem draft of the first story")
        tell.block(endings["checkout"].postmortem)
    good = _verdict(laptop, endings, tell)
    _go_on(laptop, tell)
    return 0 if good else 1


def _calm(laptop: Laptop, tell: Narrator) -> None:
    """Every story starts from a healthy shop: what an earlier demo left open is over first."""
    laptop.production.reset()
    scene = Scene(laptop, "calm", tell, [], threading.Event())
    open_ones = [row["id"] for row in scene.operator.get("/v1/incidents?limit=50").body if row["state"] not in OVER]
    for incident in open_ones:
        tell.step(f"an earlier demo left {incident} open: ending it")
        scene.operator.post(f"/v1/incidents/{incident}/resolve", {"reason": "the demo begins anew"})
    for incident in open_ones:
        try:
            scene.wait(lambda i=incident: is_over(scene.operator.get(f"/v1/incidents/{i}").body), 60, "its end")  # type: ignore[misc]
        except Stuck as stuck:
            tell.step(f"{incident} stays open ({stuck})")


def _all_told(laptop: Laptop, tell: Narrator) -> list[Told]:
    """Tell all stories at once; questions are asked here, where the terminal and Ctrl-C are."""
    tell.title("What happens, and what the bot does about it")
    tell.say(
        "  each line: seconds into its story, story, what, why; lines in italics are the world, the rest is the bot",
        "dim",
    )
    stop, questions = threading.Event(), list[Question]()
    asks, began = has_a_person(os.environ), time.monotonic()
    told: list[Told] = []
    waiting = list(STORIES)
    try:
        while waiting or not all(story.over for story in told):
            if waiting and time.monotonic() > began + APART_SECONDS * len(told):
                told.append(Told(Scene(laptop, waiting.pop(0), tell, questions, stop)))
            while questions:
                _answer(questions.pop(0), tell, asks=asks)
            stop.wait(0.1)
    except KeyboardInterrupt:
        stop.set()
        raise
    return told


def _answer(question: Question, tell: Narrator, *, asks: bool) -> None:
    approval = question.approval
    lines = [
        f"alice, {approval['text']}",
        f"plan digest {approval['digest']}, expires {approval['expires_at'][:19]} UTC",
    ]
    question.yes = tell.ask(lines, "Approve this plan?") if asks else True
    question.answered.set()


def _verdict(laptop: Laptop, endings: Mapping[str, Ending], tell: Narrator) -> bool:
    tell.title("How it ended")
    findings = check(laptop, {name: asdict(ending) for name, ending in endings.items()})
    for finding in findings:
        tell.say(f"  {'✓' if finding.holds else '✗'} {finding.text}", "" if finding.holds else "bold red")
    return all(finding.holds for finding in findings)


def _go_on(laptop: Laptop, tell: Narrator) -> None:
    """Where the newcomer can act."""
    outputs = laptop.outputs
    url = f"{outputs.api_url}/v1/webhooks/alertmanager"
    tell.title("Now you")
    tell.say(f"""\
Send an alert of your own (the Host header names the API):

  curl -sS {url} \\
    -H 'Host: {outputs.api_host}' \\
    -H 'Authorization: Bearer {outputs.webhook_secrets["alertmanager"]}' \\
    -H 'Content-Type: application/json' \\
    -d '{_own_alert()}'

  .venv/bin/incidentbot list                         see incidents (then: show ID, ack ID, resolve ID)
  .venv/bin/incidentbot send FILE --source generic   send a payload as its vendor would, signature included
  .venv/bin/incidentbot approve APPROVAL --reason …  approve what the bot proposes (reject, undo, kill-switch on)
  {outputs.receivers_url}                    what PagerDuty and the others got, in a browser
  make stop                                          end all of it

{STATE.name}/outputs.json says where everything is.""")


def _own_alert() -> str:
    labels = {"alertname": "MyFirstAlert", "service": "mine", "severity": "critical"}
    alert = {"status": "firing", "labels": labels, "startsAt": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    return json.dumps({"version": "4", "alerts": [alert]})


@contextmanager
def _fine_weather() -> Iterator[None]:
    """Before and after the stories: what one that broke off left would raise alarms as soon as traffic starts again."""
    shop_weather.change(STATE, surge=False, downstream_broken=False)
    try:
        yield
    finally:
        shop_weather.change(STATE, surge=False, downstream_broken=False)


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """One demo at a time in one checkout."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("another `make demo` is running in this checkout")
        yield


if __name__ == "__main__":
    main()

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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from rich.text import Text

from incident_bot.cli import showing
from incident_bot.domain.errors import IncidentBotError
from infra.local import laptop as laptops
from infra.local import shop_weather
from infra.local.background import STATE, AlreadyRunning
from infra.local.deploy import DeployFailed
from infra.local.emulator import EmulatorFailed, PortTaken
from infra.local.laptop import Laptop
from infra.local.outcome import TOLD, Telling, check
from infra.local.receivers import ReceiversFailed
from infra.local.scene import Interrupted, Question, Scene, Stage, Stuck
from infra.local.stories import STORIES, Ending
from infra.local.telling import Narrator, has_a_person
from infra.local.traffic import TrafficFailed

SERVICES = ("checkout", "orders", "search", "billing", "warehouse", "mailroom")  # of the stories
RECENT = 30  # incidents that an earlier demo may have left
APART_SECONDS = 4.0  # two cores start the functions of all four at once only slowly
BROKE_OFF = "it broke off"
BROKEN = (Stuck, httpx.HTTPError, BotoCoreError, ClientError)
CANNOT_START = (
    AlreadyRunning,
    DeployFailed,
    EmulatorFailed,
    IncidentBotError,
    PortTaken,
    ReceiversFailed,
    TrafficFailed,
    *BROKEN,
)


class Told:
    """One story in its own thread, and how it ends."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.ending = Ending(observed=scene.observed)
        self._thread = threading.Thread(target=self._run, name=scene.name, daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        return not self._thread.is_alive()

    def _run(self) -> None:
        """Whatever breaks it off, even a mistake of its own, stays noted."""
        self.ending.wrong.append(BROKE_OFF)
        try:
            STORIES[self.scene.name](self.scene, self.ending)
            self.ending.wrong.remove(BROKE_OFF)
        except Interrupted:
            return
        except BROKEN as problem:
            self.ending.wrong.append(str(problem))
            self.scene.say(f"the story broke off: {problem}")


def main() -> None:
    """Bring up, tell, check, and say how to go on."""
    tell = Narrator()
    try:
        with _alone(STATE):
            sys.exit(_demo(tell))
    except KeyboardInterrupt:
        shop_weather.change(STATE, surge=False, downstream_broken=False)
        tell.say("\nStopped. What runs goes on running: `make demo` takes it up again, `make stop` ends it.")
        sys.exit(130)


def _demo(tell: Narrator) -> int:
    (STATE / TOLD).unlink(missing_ok=True)
    tell.title("Incident Bot on a laptop: a small shop, four stories at once")
    try:
        laptop = laptops.bring_up(say=tell.step)
        _calm(laptop, tell)
    except CANNOT_START as problem:
        tell.say(f"The demo cannot start: {problem}", "bold red")
        return 1
    telling = _tell(laptop, tell)
    (STATE / TOLD).write_text(json.dumps(asdict(telling), indent=2))
    if draft := telling.stories["checkout"]["postmortem"]:
        tell.title("The postmortem draft of the first story")
        tell.block(draft)
    good = _verdict(laptop, telling, tell)
    _go_on(laptop, tell)
    return 0 if good else 1


def _calm(laptop: Laptop, tell: Narrator) -> None:
    """Every story starts from a healthy shop: what an earlier demo left open, in hand or in force is over first."""
    shop_weather.change(laptop.emulator.state, surge=False, downstream_broken=False)
    scene = Scene(Stage(laptop, tell), "calm")
    rows = scene.operator.get(f"/v1/incidents?limit={RECENT}").body
    ours = [row["id"] for row in rows if row["service"] in SERVICES]
    for incident in ours:
        scene.idle(incident)  # to the bot, a reset while it acts would be somebody else's doing
    laptop.production.reset()
    scene.wait(lambda: set(laptop.production.read_state().alarms.values()) == {"OK"}, 60, "a shop without alarms")
    for incident in ours:
        if scene.is_open(incident):
            tell.step(f"{incident} is open since an earlier demo: alice ends it")
            scene.resolve(incident, "the demo begins anew")
    for incident in ours:
        scene.ended(incident)
        scene.lifted(incident)


def _tell(laptop: Laptop, tell: Narrator) -> Telling:
    """Tell all stories at once; questions are asked here, where the terminal and Ctrl-C are."""
    tell.title("What happens, and what the bot does about it")
    tell.say(
        "each line: second at which it happened, story, what, why; in italics the world, the rest is the bot", "dim"
    )
    stage = Stage(laptop, tell)
    asks, began, waiting = has_a_person(os.environ), time.monotonic(), list(STORIES)
    told: list[Told] = []
    try:
        while waiting or not all(story.over for story in told):
            if waiting and time.monotonic() > began + APART_SECONDS * len(told):
                told.append(Told(Scene(stage, waiting.pop(0))))
            while stage.questions:
                _answer(stage.questions.pop(0), tell, asks=asks)
            stage.stop.wait(0.1)
    except KeyboardInterrupt:
        stage.stop.set()
        raise
    finally:
        shop_weather.change(laptop.emulator.state, surge=False, downstream_broken=False)
    endings = {story.scene.name: asdict(story.ending) for story in told}
    return Telling(_stamp(stage.began), _stamp(datetime.now(UTC)), endings)


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _answer(question: Question, tell: Narrator, *, asks: bool) -> None:
    """Ask the person at the terminal about the whole plan; without one, the script says yes."""
    shown = [Text("You are alice, on call. The bot asks:"), *showing.approval(question.approval)]
    question.yes = tell.ask(shown, "Approve this plan?") if asks else True
    question.answered.set()


def _verdict(laptop: Laptop, telling: Telling, tell: Narrator) -> bool:
    tell.title("How it ended, read in the emulator and at the receivers")
    findings = check(laptop, telling)
    for finding in findings:
        tell.say(f"  {'✓' if finding.holds else '✗'} {finding.text}", "" if finding.holds else "bold red")
    return all(finding.holds for finding in findings)


def _go_on(laptop: Laptop, tell: Narrator) -> None:
    """Where the newcomer can act."""
    outputs = laptop.outputs
    url = f"{outputs.api_url}/v1/webhooks/alertmanager"
    sample = STATE / "alert.json"
    sample.write_text(_own_alert())
    target = "arn:aws:lambda:us-east-1:000000000000:function:checkout-api"
    tell.title("Now you")
    tell.say(f"""\
Send an alert of your own, as Alertmanager would (the Host header names the API):

  curl -sS {url} \\
    -H 'Host: {outputs.api_host}' \\
    -H 'Authorization: Bearer {outputs.webhook_secrets["alertmanager"]}' \\
    -H 'Content-Type: application/json' \\
    -d '{_own_alert()}'

  .venv/bin/incidentbot send {sample.relative_to(STATE.parent)}      the same, edited as you like
  .venv/bin/incidentbot list                        what became of it; then show ID, ack ID, resolve ID
  .venv/bin/incidentbot --as bob propose ID limit_lambda_concurrency \\
      {target} --parameter limit=20 --reason "try it"
  .venv/bin/incidentbot approve ID-p1 --reason "go"  shows the plan, asks, acts; then undo ID-a1 --reason "enough"
  {outputs.receivers_url}/                            what PagerDuty and the others got, in a browser
  make stop                                         ends all of it

{STATE.name}/outputs.json says where everything is.""")


def _own_alert() -> str:
    labels = {"alertname": "MyFirstAlert", "service": "checkout", "severity": "critical"}
    alert = {"status": "firing", "labels": labels, "startsAt": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    return json.dumps({"version": "4", "alerts": [alert]})


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

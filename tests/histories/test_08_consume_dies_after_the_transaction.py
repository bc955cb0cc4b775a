"""History 8: the consumer dies right after its transaction: redelivery and sweep both go on, and page once."""

import pytest

from tests.histories.scene import ON_CALL, Scene
from tests.simulation.faults import Plan


class DiesAfterWrite(Plan):
    """Whoever makes the first transaction dies right after it."""

    def next(self, name: str) -> str:
        """The one death."""
        if name == "store.write" and not self.happened:
            self.happened.append(name)
            return "dies after"
        return ""


def dead() -> Scene:
    """The incident is written, its page is not sent, its execution not started; the message comes again at 60 s."""
    scene = Scene(plan=DiesAfterWrite())
    scene.says("checkout")
    assert (scene.incident.state, scene.pages, scene.running()) == ("detected", [], [])
    return scene


def test_the_redelivery_sends_the_page_and_starts_the_execution() -> None:
    scene = dead()
    scene.account.deployment.swept_at = scene.world.now().replace(year=2100)  # no sweep
    scene.at(70)
    assert scene.pages == [(60, ON_CALL, "first")]
    assert scene.running() == [f"{scene.incident.id}-1"]


def test_sweep_alone_does_it_too() -> None:
    scene = dead()
    scene.world.queue.messages.clear()  # no redelivery
    scene.at(130)
    assert scene.pages == [(60, ON_CALL, "first")]
    assert scene.running() == [f"{scene.incident.id}-1"]


@pytest.mark.parametrize("redelivered_at", [59, 60, 61, 119])
def test_together_they_page_once_and_start_once(redelivered_at: int) -> None:
    scene = dead()
    (message,) = scene.world.queue.messages
    message.visible_at = scene.world.now()
    scene.world.clock.advance(redelivered_at)
    scene.at(300)

    assert [purpose for _, _, purpose in scene.pages] == ["first"]
    assert len(scene.incidents) == 1
    assert scene.running() == [f"{scene.incident.id}-1"]
    assert scene.incident.pages == 1
    assert len([text for _, text, _ in scene.lines("page") if text.startswith("paged")]) == 1

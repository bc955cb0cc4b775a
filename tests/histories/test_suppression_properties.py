"""However alerts, resolves and silences come: what fires in the end was told, and what was covered was not."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from incident_bot.domain.alert import Severity
from incident_bot.domain.errors import Refused
from incident_bot.ingest import suppression
from incident_bot.state import series, silences
from tests.histories.scene import FIRING, RESOLVED, Scene

TITLES = ("errors", "latency", "queue")
LONGEST = 900

says = st.tuples(st.sampled_from(["fire", "resolve", "repeat"]), st.sampled_from(TITLES), st.integers(0, 200))
silence = st.tuples(st.just("silence"), st.sampled_from((*TITLES, "*")), st.integers(10, LONGEST))
expire = st.tuples(st.just("expire"), st.just(""), st.integers(0, 200))


class Story:
    """A scene with three series of one service; what their source said last, and when."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.now = 0
        self.firing: dict[str, float] = {}
        self.made: list[str] = []

    def does(self, what: str, title: str, seconds: int) -> None:
        if what == "silence":
            self.silence(title, seconds)
        elif what == "expire":
            self.expire()
        elif what == "repeat" and title in self.firing:
            self.say(title, FIRING, self.firing[title])
        elif what == "fire" and title not in self.firing:
            self.firing[title] = self.scene.now
            self.say(title, FIRING, self.scene.now)
        elif what == "resolve" and title in self.firing:
            del self.firing[title]
            self.say(title, RESOLVED, self.scene.now)
        self.now += 1 + (0 if what == "silence" else seconds)
        self.scene.at(self.now)

    def say(self, title: str, status: Any, at: float) -> None:
        self.scene.says("checkout", status, occurred=at, title=title, identity={"t": title}, severity=Severity.SEV2)

    def silence(self, title: str, seconds: int) -> None:
        ends = self.scene.world.now() + timedelta(seconds=seconds)
        when = {"service": "checkout", "title": title}
        self.made.append(silences.add(self.scene.world, "ada", when, ends=ends, reason="work").id)

    def expire(self) -> None:
        if self.made:
            try:
                silences.expire(self.scene.world, "ada", self.made[-1], "done")
            except Refused:
                return  # it is over already
            suppression.close(self.scene.world, self.made[-1])

    def ends(self) -> None:
        self.scene.at(self.now + LONGEST + 240)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.one_of(says, says, silence, expire), max_size=14))
def test_what_still_fires_when_every_silence_is_over_was_told_to_somebody(steps: list[Any]) -> None:
    """Trap 14: a window never loses a page, and nothing goes on being suppressed."""
    story = Story()
    for step in steps:
        story.does(*step)
    story.ends()
    known = {s.title: s for s in series.of(story.scene.world.store, "production")}
    incidents = {incident.id: incident for incident in story.scene.incidents}
    for title in story.firing:
        home = incidents[known[title].incident]
        assert (known[title].muted_by, home.over, home.noise) == ("", False, False), title
        assert home.pages > 0, title


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(says, max_size=14))
def test_what_fires_and_resolves_inside_a_silence_is_told_to_nobody(steps: list[Any]) -> None:
    """Trap 13: it is recorded all the same."""
    story = Story()
    whole = sum(1 + step[2] for step in steps) + 60
    story.silence("*", whole)
    for step in steps:
        story.does(*step)
    fired = {incident.title for incident in story.scene.incidents}
    for title in list(story.firing):
        story.does("resolve", title, 0)
    story.scene.at(whole + LONGEST)
    assert story.scene.pages == []
    assert all(incident.over for incident in story.scene.incidents)
    assert fired <= set(TITLES)

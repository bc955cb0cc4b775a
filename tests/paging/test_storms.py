"""Three hundred incidents at once: who is woken how often, is each of them there, and does the page say so?"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from functions.ingest.consume import consume
from incident_bot import paging
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Conflict, Unavailable
from incident_bot.domain.incident import Incident, State
from incident_bot.domain.storm import MEMBERS_KEPT
from incident_bot.domain.team import StormMode, Team
from incident_bot.state import incidents, intents, keys
from incident_bot.virtual import checkout
from incident_bot.virtual.clock import T0
from incident_bot.virtual.deployment import Deployment
from incident_bot.virtual.store import MemoryStore
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Put, Update, Write
from tests.asking import ask
from tests.building import a_team, a_world
from tests.deciding import says
from tests.signalling import a_batch, a_record, pages

BY = StormMode(pages=6, window_seconds=120)


def unknown(number: int, at: float, status: Status = Status.FIRING, severity: Severity = Severity.SEV2) -> Alert:
    return says(f"down {number}", service=f"mystery-{number}", at=at, status=status, severity=severity)


class Pouring:
    """A deployment into which one sender pours alerts of services that nobody configured."""

    def __init__(self, team: Team | None = None) -> None:
        self.world = a_world(team or a_team(storm=BY))
        self.deployment = Deployment(self.world, checkout.handlers(), checkout.definitions())

    @property
    def at(self) -> float:
        return (self.world.now() - T0).total_seconds()

    def say(self, numbers: range, *, pause: float = 0.2, **changes: object) -> None:
        for number in numbers:
            alert = unknown(number, self.at, **changes)  # type: ignore[arg-type]
            self.deployment.invoke("consume", a_batch(a_record(self.world, alert, delivery=f"{number}-{self.at}")))
            self.deployment.run_for(pause)

    @property
    def all(self) -> list[Incident]:
        found = [incidents.read(self.world.store, key[0][4:]) for key in self.world.store.opened(limit=1000)]
        return sorted(found, key=lambda incident: (incident.opened_at, incident.id))

    @property
    def summaries(self) -> list[Incident]:
        return [incident for incident in self.all if incident.kind == "storm"]

    @property
    def others(self) -> list[Incident]:
        return [incident for incident in self.all if incident.kind != "storm"]

    def shown(self, identifier: str) -> str:
        return "\n".join(f"{e['text']} ({e['reason']})" for e in incidents.timeline(self.world.store, identifier))


def test_beyond_those_that_a_storm_remembers_each_incident_still_counts_once() -> None:
    here = Pouring()
    here.say(range(8))
    key = keys.storm("payments")
    members = [f"another-{n}" for n in range(MEMBERS_KEPT)]
    here.world.store.update(Update(key, set={"members": members, "count": MEMBERS_KEPT}))

    here.say(range(8, 11))
    assert here.world.store.get_many([key])[key]["count"] == MEMBERS_KEPT + 3
    here.say(range(8, 11), severity=Severity.SEV1)

    assert [page.purpose for page in intents.of(here.world.store, here.others[-1].id)] == ["first", "worsened"]
    assert here.world.store.get_many([key])[key]["count"] == MEMBERS_KEPT + 3


def test_three_hundred_unknown_services_in_a_minute_are_a_handful_of_pages() -> None:
    here = Pouring()
    here.say(range(300))
    here.deployment.run_for(30)
    assert len(here.others) == 300
    assert len(pages(here.world)) == 7
    assert len({page["dedup_key"] for page in pages(here.world)}) == 7
    here.deployment.run_for(300)
    (summary,) = here.summaries
    assert summary.alerts == 294
    assert (summary.severity, summary.owner, summary.title) == (
        Severity.SEV2,
        "payments",
        "294 more incidents of payments would page",
    )
    status, rows = ask(here.world, "GET", "/v1/incidents", query="limit=1000")
    assert (status, len(rows)) == (200, 301)


def test_the_summary_s_page_says_what_it_stands_for() -> None:
    here = Pouring()
    here.say(range(8))
    page = pages(here.world)[-1]
    assert page["payload"]["summary"] == "[Sev2] storm: 1 more incident of payments would page"
    assert "mystery-6" in page["payload"]["custom_details"]["message"]


def test_each_incident_says_what_became_of_its_page_and_who_would_have_got_it() -> None:
    here = Pouring()
    here.say(range(10))
    here.deployment.run_for(10)
    (summary,) = here.summaries
    last = here.others[-1]
    assert last.pages == 0
    assert (
        f"its team is in a storm: {summary.id} is the page for this incident too; would have paged Grace"
        in here.shown(last.id)
    )


def notices(here: Pouring) -> list[str]:
    """Why each page that tells of services at Sev1 was sent."""
    return [page["payload"]["custom_details"]["reason"] for page in pages(here.world) if "Worse" in str(page)]


def test_the_first_sev1_of_each_service_is_told_at_once_and_the_next_ones_within_a_minute() -> None:
    here = Pouring()
    here.say(range(20))
    here.say(range(20, 21), severity=Severity.SEV1)
    here.deployment.run_for(1)
    (summary,) = here.summaries
    assert notices(here) == ["it got worse: sev2 became sev1: mystery-20 is at sev1"]
    assert pages(here.world)[-1]["payload"]["summary"].startswith("[Sev1] Worse: storm: ")
    assert (pages(here.world)[-1]["payload"]["severity"], summary.severity) == ("critical", Severity.SEV1)
    here.say(range(21, 24), severity=Severity.SEV1)
    here.deployment.run_for(61)
    assert notices(here)[1:] == ["3 more services at sev1: mystery-21, mystery-22, mystery-23"]
    here.say(range(24, 25), severity=Severity.SEV1)
    here.deployment.run_for(1)
    assert notices(here)[2:] == []
    here.deployment.run_for(60)
    assert notices(here)[2:] == ["1 more service at sev1: mystery-24"]


def test_a_service_that_is_known_to_be_at_sev1_is_not_told_again() -> None:
    here = Pouring()
    here.say(range(12))
    here.say(range(12, 13), severity=Severity.SEV1)
    here.deployment.run_for(70)
    here.say(range(12, 13), severity=Severity.SEV1)
    here.deployment.run_for(70)
    assert len(notices(here)) == 1


def test_however_many_services_are_at_sev1_there_is_a_page_a_minute_that_counts_them() -> None:
    here = Pouring()
    here.say(range(12))
    here.say(range(100, 250), severity=Severity.SEV1)
    here.deployment.run_for(70)
    assert len(notices(here)) == 2
    assert notices(here)[1].startswith("149 more services at sev1: mystery-101, ")
    assert notices(here)[1].endswith("mystery-108 and 141 more")


def test_whoever_acknowledged_the_summary_is_told_of_the_next_service_at_sev1() -> None:
    here = Pouring()
    here.say(range(12))
    here.say(range(12, 13), severity=Severity.SEV1)
    here.deployment.run_for(5)
    ask(here.world, "POST", f"/v1/incidents/{here.summaries[0].id}/acknowledge", {"reason": "all of it"})
    here.say(range(13, 14), severity=Severity.SEV1)
    here.deployment.run_for(61)
    assert notices(here)[1:] == ["1 more service at sev1: mystery-13"]


def test_an_acknowledgement_of_the_summary_stops_all_escalation() -> None:
    here = Pouring(a_team(storm=StormMode(pages=1, window_seconds=120)))
    here.say(range(30))
    here.deployment.run_for(5)
    for incident in (here.summaries[0], here.others[0]):
        ask(here.world, "POST", f"/v1/incidents/{incident.id}/acknowledge", {"reason": "all of it"})
    here.deployment.run_for(5)
    before = len(pages(here.world))
    here.deployment.run_for(1800)
    assert len(pages(here.world)) == before


def test_a_summary_that_nobody_answers_escalates() -> None:
    here = Pouring()
    here.say(range(30))
    here.deployment.run_for(400)
    titles = [page["payload"]["summary"] for page in pages(here.world)]
    assert any("Not acknowledged: storm" in title for title in titles)


def test_it_stands_until_the_last_of_its_incidents_is_clear_and_then_closes_its_page() -> None:
    here = Pouring()
    here.say(range(12))
    here.deployment.run_for(900)
    here.say(range(11), status=Status.RESOLVED)
    here.deployment.run_for(900)
    assert not here.summaries[0].over
    here.say(range(11, 12), status=Status.RESOLVED)
    here.deployment.run_for(900)
    (summary,) = here.summaries
    assert summary.state is State.RESOLVED
    closed = [r.json["dedup_key"] for r in here.world.http.sent if r.json.get("event_action") == "resolve"]
    assert summary.id in closed


def test_after_a_storm_pages_go_out_singly_again_and_the_old_summary_still_knows_its_own() -> None:
    here = Pouring()
    here.say(range(12))
    here.deployment.run_for(130)
    here.say(range(50, 51))
    here.deployment.run_for(900)
    assert here.others[-1].pages >= 1
    assert not here.summaries[0].over


def test_what_asks_for_an_undo_is_never_part_of_it() -> None:
    here = Pouring()
    here.say(range(12))
    incident = here.others[-1]
    intent = replace(intents.of(here.world.store, incident.id)[0], name="undo-1", purpose="undo", state="pending")
    here.world.store.write([intents.opening(replace(intent, attempts=0, sent=(), lease_until=None), here.world.now())])
    assert paging.send(here.world, incident.id, "undo-1").kind == "sent"


class Torn(MemoryStore):
    """A store in which the team's count cannot be written."""

    def __init__(self, problem: Exception) -> None:
        super().__init__()
        self.problem = problem

    def write(self, writes: list[Write]) -> None:  # type: ignore[override]
        if any(write.key == keys.storm("payments") for write in writes):
            raise self.problem
        super().write(writes)


@pytest.mark.parametrize("problem", [Unavailable("throttled"), Conflict("somebody was first")])
def test_a_count_that_cannot_be_written_holds_no_page_back(problem: Exception) -> None:
    world: VirtualWorld = replace(a_world(a_team(storm=BY)), store=Torn(problem))
    for number in range(10):
        consume(world, a_batch(a_record(world, unknown(number, 0), delivery=f"d{number}")))
    assert len(pages(world)) == 10


def test_a_sender_that_dies_right_after_the_count_neither_doubles_nor_loses_anything() -> None:
    here = Pouring(a_team(storm=StormMode(pages=1, window_seconds=120)))
    here.say(range(2))
    last = here.others[-1]
    (intent,) = intents.of(here.world.store, last.id)
    again = {"state": "pending", "attempts": 0}
    here.world.store.update(Update(keys.intent(last.id, intent.name), set=again, remove=("lease_until",)))
    assert paging.send(here.world, last.id, intent.name).kind == "cancelled"
    assert len(here.summaries) == 1
    assert here.summaries[0].alerts == 1


class Dying(MemoryStore):
    """A store whose writer dies, once `dies`, before what became of a page is written."""

    dies = False

    def write(self, writes: Sequence[Write]) -> None:
        if self.dies and any(isinstance(one, Put) and one.item.get("state") == "cancelled" for one in writes):
            raise Unavailable("the sandbox is gone")
        super().write(writes)


def test_a_page_is_counted_once_where_its_sender_dies_beyond_those_that_a_storm_remembers() -> None:
    store, key = Dying(), keys.storm("payments")
    world: VirtualWorld = replace(a_world(a_team(storm=StormMode(pages=1, window_seconds=900))), store=store)
    for number in range(2):
        consume(world, a_batch(a_record(world, unknown(number, 0), delivery=f"d{number}")))
    members = [f"another-{n}" for n in range(MEMBERS_KEPT)]
    store.update(Update(key, set={"members": members, "count": MEMBERS_KEPT}))

    store.dies = True
    consume(world, a_batch(a_record(world, unknown(2, 0), delivery="d2")))
    store.dies = False
    (late,) = {i for (pk, _) in store.opened() if (i := pk[4:]) and "mystery-2" in incidents.read(store, i).service}
    world.clock.advance(60)

    assert paging.send(world, late, "page-first").kind == "cancelled"
    assert store.get_many([key])[key]["count"] == MEMBERS_KEPT + 1

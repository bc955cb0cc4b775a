"""Does a batch that is taken in leave the table as it was decided, also where incidents are silent, merged or full?"""

from dataclasses import replace
from datetime import date

from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.classify import classify
from incident_bot.domain.head import GROUPS_KEPT
from incident_bot.domain.incident import State
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.opening import FIRST_PAGE, Observation
from incident_bot.domain.team import Rule
from incident_bot.ingest.intake import Taken, take_in
from incident_bot.state import heads, incidents, intents, mailbox
from incident_bot.virtual.world import VirtualWorld
from tests.building import a_service, a_team, a_world
from tests.deciding import says

SCOPE = "production"
HELD = Rule("flaky", "payments", date(2027, 1, 1), {"title": "flaky*"}, hold_seconds=45)
TEAM = a_team(
    services={
        "web": a_service("web", depends_on=("api",)),
        "app": a_service("app", depends_on=("api",)),
        "api": a_service("api"),
        "checkout": a_service(),
    },
    rules=(HELD,),
)


def take(world: VirtualWorld, *alerts: Alert) -> Taken:
    number = int(world.now().timestamp())
    found = (Observation(alert, classify(alert, world.team), f"d{number}-{n}") for n, alert in enumerate(alerts))
    return take_in(world, SCOPE, list(found))


def merged_scene() -> tuple[VirtualWorld, str, str]:
    """An incident of `app` that was merged into the one of `web` when their root came; returns both ids."""
    world = a_world(TEAM)
    (web,) = take(world, says(service="web")).opened
    world.clock.advance(5)
    (app,) = take(world, says(service="app", at=5)).opened
    world.clock.advance(5)
    assert not take(world, says(service="api", at=10)).opened
    before = incidents.read(world.store, app)
    ended = replace(before, state=State.RESOLVED, resolved_at=world.now(), merged_into=web)
    incidents.commit(world, before, ended)
    return world, web, app


def test_what_was_merged_is_told_to_what_it_was_merged_into_even_where_its_group_fell_off_the_head() -> None:
    world, web, _ = merged_scene()
    for n in range(GROUPS_KEPT):
        take(world, says(service=f"s{n}", severity=None))
    assert "app@0115T100005" not in heads.read(world.store, SCOPE).groups
    world.clock.advance(5)
    take(world, says(service="app", status=Status.RESOLVED, at=15))
    last = mailbox.read(world, incidents.read(world.store, web)).mails[-1]
    assert (last.kind, last.detail["group"], last.detail["status"]) == (MailKind.ALERT, "app@0115T100005", "resolved")


def test_a_full_box_is_told_of_moves_and_roots_though_not_of_every_alert() -> None:
    world = a_world(TEAM)
    (web,) = take(world, says(service="web")).opened
    take(world, says(service="app"))
    mailbox.post(world, web, *(Mail(MailKind.NOTE, world.now(), text=str(n)) for n in range(mailbox.FULL)))
    world.clock.advance(5)
    take(world, says(service="api", at=5))
    box = mailbox.read(world, incidents.read(world.store, web))
    assert [mail.kind for mail in box.mails[mailbox.FULL :]] == [MailKind.ROOT, MailKind.MOVED_IN]
    assert (box.looks, box.number) == (1, mailbox.FULL + 2)


def test_a_held_incident_with_which_an_alert_of_the_same_batch_agrees_is_paged_at_once() -> None:
    world = a_world(TEAM)
    taken = take(world, says("flaky"), says("errors", at=1))
    (identifier,) = taken.opened
    (page,) = intents.of(world.store, identifier)
    assert (page.name, page.state, page.not_before) == (FIRST_PAGE, "pending", None)
    assert incidents.read(world.store, identifier).generation == 1


def test_noise_with_which_a_page_of_the_same_batch_joins_is_paged_at_once() -> None:
    quiet = Rule("noisy", "payments", date(2027, 1, 1), {"labels.noisy": "yes"}, noise=True)
    world = a_world(replace(TEAM, rules=(quiet,)))
    noise = says(instance="a", labels={"noisy": "yes"})
    (identifier,) = take(world, noise, says(instance="b", at=1)).opened
    assert [intent.name for intent in intents.of(world.store, identifier)] == [FIRST_PAGE]


def test_a_held_dependent_ends_unpaged_when_its_root_s_incident_takes_it_in() -> None:
    world = a_world(TEAM)
    (web,) = take(world, says(service="web")).opened
    take(world, says("flaky", service="app"))
    held = next(i for i in heads.read(world.store, SCOPE).incidents if i != web)
    world.clock.advance(5)
    take(world, says(service="api", at=5))
    incident = incidents.read(world.store, held)
    assert (incident.state, incident.merged_into) == (State.RESOLVED, web)
    assert [(i.state, i.outcome) for i in intents.of(world.store, held)] == [("cancelled", f"merged into {web}")]


def test_a_batch_that_changes_nothing_writes_nothing() -> None:
    world = a_world(TEAM)
    take(world, says())
    before = list(world.store)
    take(world, says())
    assert list(world.store) == before

"""Is whoever must know told, once, whatever fails on the way?"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot import paging
from incident_bot.domain.alert import Severity
from incident_bot.domain.errors import Conflict, NotFound, Unavailable
from incident_bot.domain.escalate import PAGES_PER_HOUR
from incident_bot.domain.incident import Incident, State
from incident_bot.domain.intent import LEASE, Intent
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.message import Kind
from incident_bot.domain.rota import Override
from incident_bot.domain.team import ChannelSettings, EscalationStep, Rota
from incident_bot.paging.delivery import FALLBACK
from incident_bot.state import incidents, intents, keys, mailbox, overrides
from incident_bot.virtual.clock import T0
from incident_bot.virtual.store import MemoryStore
from incident_bot.virtual.surroundings import Request
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Put, Response, Update, Write
from tests.building import a_group, a_person, a_team, a_world, an_incident

SECOND = timedelta(seconds=1)
STEP = EscalationStep(("rota:payments",), ("pagerduty", "webhook"))
KEY = "0123456789abcdef0123456789abcdef"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def an_intent(name: str = "page-first", purpose: str = "first", **changes: Any) -> Intent:
    """A first page of `inc1` to whoever is on call for payments, by PagerDuty and then the webhook."""
    fields: dict[str, Any] = {
        "incident": "inc1",
        "name": name,
        "purpose": purpose,
        "kind": Kind.TRIGGER,
        "severity": Severity.SEV2,
        "group": "payments",
        "steps": (STEP,),
        "reason": "sev2 of a tier 1 service",
    }
    return Intent(**{**fields, **changes})


def a_scene(*messages: Intent, incident: Incident | None = None, **team: Any) -> VirtualWorld:
    """A world with one incident and these intents, where every channel works."""
    channels = {
        "pagerduty": ChannelSettings(url="http://pagerduty.test"),
        "webhook": ChannelSettings(url="http://receiver.test/hook", secret="channels/webhook"),
    }
    world = a_world(
        a_team(channels=channels, **team), incident or an_incident(), secrets={"channels/webhook": (SECRET,)}
    )
    world.http.answer("http://receiver.test", 200)
    for message in messages or (an_intent(),):
        world.store.write([intents.opening(message, world.now())])
    return world


def send(world: VirtualWorld, name: str = "page-first", **options: Any) -> paging.Outcome:
    return paging.send(world, "inc1", name, **options)


def the_intent(world: VirtualWorld, name: str = "page-first") -> Intent:
    (found,) = (intent for intent in intents.of(world.store, "inc1") if intent.name == name)
    return found


def mails(world: VirtualWorld) -> list[Mail]:
    return list(mailbox.read(world, incidents.read(world.store, "inc1")).mails)


def events(world: VirtualWorld) -> list[tuple[str, str]]:
    """(action, dedup key) of what PagerDuty got."""
    sent = (request.json for request in world.http.sent if request.url.startswith("http://pagerduty.test"))
    return [(event["event_action"], event["dedup_key"]) for event in sent]


def hooks(world: VirtualWorld) -> list[dict[str, Any]]:
    return [request.json for request in world.http.sent if request.url.startswith("http://receiver.test")]


def down(request: Request) -> Response:
    raise Unavailable(f"{request.url} did not answer")


# -- the plain way ---------------------------------------------------------------------------------------------------


def test_whoever_is_on_call_is_paged_once_and_the_incident_is_told() -> None:
    world = a_scene()
    assert send(world) == paging.Outcome("sent", "Grace by pagerduty")
    assert send(world).kind == "sent"
    assert events(world) == [("trigger", "inc1")]
    assert world.http.sent[0].json["routing_key"] == KEY
    intent = the_intent(world)
    assert (intent.state, intent.lease_until, intent.attempts) == ("sent", None, 1)
    assert [(s.to, s.channel, s.reference, s.at) for s in intent.sent] == [("Grace", "pagerduty", "inc1", T0)]
    (mail,) = mails(world)
    assert (mail.kind, mail.argument) == (MailKind.PAGED, "page-first")
    assert mail.detail == {"to": "Grace", "via": "pagerduty", "purpose": "first", "outcome": "sent"}
    assert world.store.due("9") == [keys.box("inc1")], "a sent intent is not due, the mail is"


def test_the_execution_is_woken_and_the_metrics_hear_of_it() -> None:
    world = a_scene()
    mailbox.park(world, incidents.read(world.store, "inc1"), mailbox.read(world, an_incident()), "token")
    world.clock.advance(3)
    send(world)
    assert world.machines.woken == ["token"]
    assert ("SecondsToPage", 3.0, {"severity": "sev2"}) in world.metrics.points


def test_the_message_says_what_is_known_and_what_was_found_out() -> None:
    world = a_scene()
    fact = {
        "name": "runbook", "source": "config", "gathered_at": "2026-01-15T10:00:00Z", "ttl_seconds": 60,
        "text": "wiki/checkout", "value": None, "as_of": "2026-01-15T10:00:00Z", "failure": "",
    }  # fmt: skip
    pk, sk = keys.facts("inc1")
    world.store.update(Update((pk, sk), set={"facts": {"runbook": fact}}))
    send(world)
    text = world.http.sent[0].json["payload"]["custom_details"]["message"]
    assert "- runbook: wiki/checkout (config, 0 s old)" in text
    assert "To: Grace (on call for rota payments, turn 2)" in text


# -- who ------------------------------------------------------------------------------------------------------------


def test_people_are_resolved_when_it_is_sent_not_when_it_was_written() -> None:
    world = a_scene(an_intent(not_before=T0 + timedelta(days=4)))
    world.clock.advance(timedelta(days=4).total_seconds())
    assert send(world).reason == "Ada by pagerduty"


def test_an_override_in_the_table_decides() -> None:
    world = a_scene()
    until = T0 + timedelta(hours=1)
    world.store.write([overrides.making(Override("01", "payments", "ada", T0, until, replaces="grace"))])
    assert send(world).reason == "Ada by pagerduty"


def test_an_unreadable_override_leaves_the_person_of_the_rota() -> None:
    class NoControls(MemoryStore):
        def query(self, pk: str, prefix: str = "", **options: Any) -> Any:
            if pk == "CONTROL":
                raise Unavailable("throttled")
            return super().query(pk, prefix, **options)

    world = a_scene()
    store = NoControls()
    store.write(_copied(world.store))
    assert send(replace(world, store=store)).reason == "Grace by pagerduty"


def test_nobody_on_call_pages_the_team_and_the_fallback_and_says_so() -> None:
    unstarted = replace(a_team().rotas["payments"], starts=T0.date() + timedelta(days=30))
    world = a_scene(rotas={"payments": unstarted})
    outcome = send(world)
    assert outcome.kind == "sent"
    assert [(s.to, s.channel) for s in the_intent(world).sent] == [
        ("team payments", "pagerduty"),
        ("the fallback topic", FALLBACK),
    ]
    assert "Nobody is on call: rota payments starts on" in world.notices.published[0][1]


def test_a_step_without_channels_goes_to_the_fallback() -> None:
    world = a_scene(an_intent("escalation-9", "escalation", steps=()))
    assert send(world, "escalation-9").reason == "the fallback topic by fallback"
    assert events(world) == []


# -- what fails ------------------------------------------------------------------------------------------------------


def test_the_next_channel_takes_it_when_the_first_is_down() -> None:
    world = a_scene()
    world.http.answer("http://pagerduty.test", peer=down)
    outcome = send(world)
    assert outcome.kind == "sent"
    assert outcome.reason.startswith("Grace by webhook, after pagerduty: ")
    assert [hook["type"] for hook in hooks(world)] == ["incident.trigger"]
    assert world.notices.published == []


@pytest.mark.parametrize(
    "break_it",
    [
        lambda world: [world.http.answer(url, peer=down) for url in ("http://pagerduty.test", "http://receiver.test")],
        lambda world: [world.http.answer(url, 400) for url in ("http://pagerduty.test", "http://receiver.test")],
        lambda world: world.secrets.known.clear(),
        lambda world: setattr(world.secrets, "down", True),
    ],
    ids=["down", "refused", "no keys", "keys unreadable"],
)
def test_the_fallback_takes_it_at_once_when_no_channel_does(break_it: Callable[[VirtualWorld], object]) -> None:
    world = a_scene()
    break_it(world)
    assert send(world).kind == "sent"
    ((subject, text),) = world.notices.published
    assert subject == "[Sev2] checkout: checkout error rate high"
    assert "No channel took this message:" in text
    assert [s.channel for s in the_intent(world).sent] == [FALLBACK]
    assert world.metrics.counts["FallbackUsed"] == 1
    assert mails(world)[0].detail["via"] == FALLBACK


def test_a_channel_that_is_broken_or_unknown_is_one_that_did_not_take_it() -> None:
    def broken(request: Request) -> Response:
        raise ZeroDivisionError("a bug")

    steps = (EscalationStep(("rota:payments",), ("pigeon", "pagerduty", "webhook")),)
    world = a_scene(an_intent(steps=steps))
    world.http.answer("http://pagerduty.test", peer=broken)
    assert send(world).reason == (
        "Grace by webhook, after pigeon: there is no channel pigeon; pagerduty: ZeroDivisionError: a bug"
    )


def test_a_slow_channel_leaves_time_for_the_next_one() -> None:
    asked: list[float] = []

    class SlowHttp:
        def post(self, *_: Any, timeout_seconds: float, **__: Any) -> Response:
            asked.append(timeout_seconds)
            world.clock.advance(timeout_seconds)
            raise Unavailable("too slow")

    world = a_scene()
    outcome = send(replace(world, http=SlowHttp()), budget_seconds=1.5)  # type: ignore[arg-type]
    assert sum(asked) <= 1.5
    assert len(asked) == 2
    assert (outcome.kind, len(world.notices.published)) == ("sent", 1)


def test_when_all_fails_it_is_tried_again_later_and_later_and_then_given_up_loudly() -> None:
    world = a_scene()
    world.notices.down = True
    world.http.answer("http://pagerduty.test", peer=down)
    world.http.answer("http://receiver.test", peer=down)
    waits = []
    for _ in range(paging.TRIES):
        assert send(world).kind == "failed"
        intent = the_intent(world)
        if intent.state == "pending":
            assert intent.not_before is not None
            assert send(world).kind == "early"
            assert keys.intent("inc1", "page-first") in world.store.due("9"), "sweep finds it"
            waits.append((intent.not_before - world.now()).total_seconds())
            world.clock.advance_to(intent.not_before)
    assert waits[:4] == [5, 10, 20, 40]
    assert max(waits) == 300
    assert the_intent(world).state == "failed"
    assert send(world).kind == "failed"
    assert [mail.detail["outcome"] for mail in mails(world)] == ["failed"] * paging.TRIES
    assert world.metrics.points.count(("Untold", 1, {})) == paging.TRIES, "the alarm watches it without dimensions"


def test_a_page_that_cannot_be_composed_goes_out_with_the_least_that_can_be_said() -> None:
    world = a_scene()
    world.store.update(Update(keys.facts("inc1"), set={"facts": {"owner": "not a record"}}))
    assert send(world).kind == "sent"
    assert "could not be composed" in world.http.sent[0].json["payload"]["custom_details"]["message"]


def test_step_functions_that_is_down_fails_no_page() -> None:
    world = a_scene()
    mailbox.park(world, incidents.read(world.store, "inc1"), mailbox.read(world, an_incident()), "token")
    world.machines.down = True
    assert send(world).kind == "sent"
    assert the_intent(world).state == "sent"
    assert world.metrics.counts["AnnouncementFailed"] == 1


# -- when not to send ------------------------------------------------------------------------------------------------


def test_a_held_page_waits() -> None:
    world = a_scene(an_intent(not_before=T0 + 180 * SECOND))
    assert send(world).kind == "early"
    world.clock.advance(180)
    assert send(world).kind == "sent"


NEEDLESS = [
    # purpose, the incident when it is sent, the reason (None: it is sent)
    ("first", {"state": State.RESOLVED}, "it was resolved before; would have paged Grace"),
    ("first", {"state": State.RESOLVED, "merged_into": "inc0"}, "it was merged into inc0; would have paged Grace"),
    ("worsened", {"state": State.POSTMORTEM}, "it was resolved before; would have paged Grace"),
    ("escalation", {"acknowledged_at": T0 + SECOND}, "it was acknowledged before; would have paged Grace"),
    ("escalation", {"acknowledged_at": T0 - SECOND}, None),  # that acknowledgement expired
    ("worsened", {"acknowledged_at": T0 + SECOND}, None),  # a worse alert is not acknowledged
    ("first", {"acknowledged_at": T0 + SECOND}, None),
    ("undo", {"state": State.RESOLVED}, None),  # something is half applied, whatever the alert says
    ("first", {"state": State.MITIGATED}, None),
]


@pytest.mark.parametrize(("purpose", "changes", "reason"), NEEDLESS)
def test_the_state_is_read_again_right_before_sending(
    purpose: str, changes: dict[str, Any], reason: str | None
) -> None:
    world = a_scene(an_intent("page-1", purpose))
    world.clock.advance(2)
    before = incidents.read(world.store, "inc1")
    incidents.commit(world, before, replace(before, **changes))
    outcome = send(world, "page-1")
    assert outcome.kind == ("cancelled" if reason else "sent")
    assert (the_intent(world, "page-1").outcome == reason) is (reason is not None)
    assert bool(events(world)) is (reason is None)
    assert mails(world)[0].detail["outcome"] == outcome.kind


def test_an_acknowledgement_still_in_the_box_stops_an_escalation() -> None:
    world = a_scene(an_intent("escalation-2", "escalation"))
    mailbox.post(world, "inc1", Mail(MailKind.ACK, T0, actor="grace"))
    assert send(world, "escalation-2").kind == "cancelled"


def test_an_unwanted_request_for_approval_is_not_sent_after_the_end() -> None:
    message = an_intent("ask", "update", kind=Kind.UPDATE, details={"approval": "inc1-p1", "digest": "d"})
    world = a_scene(message, incident=an_incident(state=State.RESOLVED))
    assert send(world, "ask").reason == "it was resolved before; would have told Grace"


def test_an_update_wakes_nobody() -> None:
    world = a_scene(an_intent("update-1", "update", kind=Kind.UPDATE))
    assert send(world, "update-1").kind == "sent"
    assert events(world) == []
    assert [hook["type"] for hook in hooks(world)] == ["incident.update"]
    assert world.store.get(keys.budget("grace", T0)) is None


def test_whom_escalations_paged_too_often_this_hour_is_spared_and_the_fallback_told() -> None:
    world = a_scene(an_intent("escalation-2", "escalation"), an_intent())
    world.store.update(Update(keys.budget("grace", T0), add={"pages": PAGES_PER_HOUR - 1}))
    send(world)
    assert send(world, "escalation-2").reason == "the fallback topic by fallback"
    assert "paged 20 times this hour already" in world.notices.published[0][1]
    assert events(world) == [("trigger", "inc1")]


def test_what_does_not_exist_is_said() -> None:
    with pytest.raises(NotFound, match="no intent page-second"):
        send(a_scene(), "page-second")


# -- two senders, and a death in between -----------------------------------------------------------------------------


class Died(BaseException):
    """The function is gone, at once."""


class MortalStore(MemoryStore):
    """A store in whose hands the function dies before or after a certain write."""

    def __init__(self, at: int, *, after: bool) -> None:
        super().__init__()
        self.left, self.after = at, after

    def write(self, writes: Any) -> None:
        self._mortal(lambda: super(MortalStore, self).write(writes))

    def update(self, update: Update) -> Any:
        return self._mortal(lambda: super(MortalStore, self).update(update))

    def _mortal(self, act: Callable[[], Any]) -> Any:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Died
        answer = act()
        if self.left == 0:
            raise Died
        return answer


def _copied(store: MemoryStore) -> list[Write]:
    return [Put(item) for item in store]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_death_at_any_write_ends_in_one_page_that_is_recorded_once(at: int, after: bool) -> None:
    calm = a_scene()
    store = MortalStore(0, after=after)
    store.write(_copied(calm.store))
    store.left = at
    world = replace(calm, store=store)
    with pytest.raises(Died):
        send(world)
    store.left = -1
    world.clock.advance((LEASE + 12 * SECOND).total_seconds())
    send(world)
    assert the_intent(world).state == "sent"
    assert [mail.detail["outcome"] for mail in mails(world)] == ["sent"]
    assert set(events(world)) == {("trigger", "inc1")}, "PagerDuty sees one alert, by its key"
    assert len(events(world)) <= 2


def test_of_two_senders_one_sends() -> None:
    world = a_scene()
    second: list[paging.Outcome] = []

    def meanwhile(request: Request) -> Response:
        second.append(send(world))
        return Response(202, b"{}")

    world.http.answer("http://pagerduty.test", peer=meanwhile)
    assert send(world).kind == "sent"
    assert [outcome.kind for outcome in second] == ["busy"]
    assert len(events(world)) == 1


def test_a_sender_whose_lease_was_lost_between_reading_and_taking_it_is_busy() -> None:
    class Overtaken(MemoryStore):
        def update(self, update: Update) -> Any:
            if update.key == keys.intent("inc1", "page-first"):
                raise Conflict("somebody was first")
            return super().update(update)

    world = a_scene()
    store = Overtaken()
    store.write(_copied(world.store))
    assert send(replace(world, store=store)).kind == "busy"
    assert events(world) == []


def test_a_page_that_was_cancelled_while_it_left_is_recorded_and_closed_again() -> None:
    world = a_scene()

    def meanwhile(request: Request) -> Response:
        before = the_intent(world)
        if before.state == "pending":
            ended = replace(before, state="cancelled", outcome="merged into inc0")
            world.store.write([intents.changing(ended, before, world.now())])
        return Response(202, b"{}")

    world.http.answer("http://pagerduty.test", peer=meanwhile)
    assert send(world).kind == "sent"
    assert the_intent(world).state == "sent"
    world.clock.advance(30)
    assert send(world, "resolve-page-first").kind == "sent"
    assert events(world) == [("trigger", "inc1"), ("resolve", "inc1")]


# -- closing ---------------------------------------------------------------------------------------------------------


def a_closing(kind: Kind = Kind.RESOLVE) -> Intent:
    return an_intent(str(kind), str(kind), kind=kind, reason="it is over")


@pytest.mark.parametrize("kind", [Kind.RESOLVE, Kind.ACKNOWLEDGE])
def test_a_closing_goes_wherever_a_page_stands(kind: Kind) -> None:
    worse, other = an_intent("worsened-7-0", "worsened"), an_intent("reassigned-8-0", "reassigned", group="search")
    search = a_group("search", pager={"pagerduty": "channels/pagerduty/search"})
    world = a_scene(an_intent(), worse, other, a_closing(kind), groups={"payments": a_group(), "search": search})
    world.secrets.known["channels/pagerduty/search"] = ("f" * 32,)
    for name in ("page-first", "worsened-7-0", "reassigned-8-0", str(kind)):
        assert send(world, name).kind == "sent"
    assert events(world) == [
        ("trigger", "inc1"),
        ("trigger", "inc1.worsened-7-0"),
        ("trigger", "inc1.reassigned-8-0"),
        (str(kind), "inc1"),
        (str(kind), "inc1.reassigned-8-0"),
        (str(kind), "inc1.worsened-7-0"),
    ]
    keys_used = {r.json["dedup_key"]: r.json["routing_key"] for r in world.http.sent}
    assert keys_used["inc1.reassigned-8-0"] == "f" * 32


def test_what_only_the_fallback_carried_is_closed_there() -> None:
    world = a_scene(an_intent(steps=()), a_closing())
    send(world)
    assert send(world, "resolve").kind == "sent"
    assert [subject for subject, _ in world.notices.published][
        1
    ] == "[Sev2] Resolved: checkout: checkout error rate high"


def test_nothing_is_closed_where_nobody_was_paged() -> None:
    world = a_scene(an_intent(not_before=T0 + 60 * SECOND), a_closing())
    assert send(world, "resolve") == paging.Outcome("cancelled", "nobody was paged, so there is nothing to close")
    assert world.http.sent == []


def test_a_page_whose_sender_died_is_closed_as_if_it_had_left() -> None:
    world = a_scene(an_intent(attempts=1, lease_until=T0 - SECOND), a_closing())
    assert send(world, "resolve").kind == "sent"
    assert events(world) == [("resolve", "inc1")]


def test_a_closing_waits_for_a_page_that_is_being_sent() -> None:
    world = a_scene(an_intent(attempts=1, lease_until=T0 + 10 * SECOND), a_closing())
    assert send(world, "resolve").kind == "failed"
    world.clock.advance(11)
    assert send(world, "resolve").kind == "sent"


def test_a_closing_is_repeated_only_where_it_failed() -> None:
    world = a_scene(an_intent(), an_intent("worsened-7-0", "worsened"), a_closing())
    send(world)
    send(world, "worsened-7-0")
    failures = ["inc1.worsened-7-0"]

    def once_down(request: Request) -> Response:
        if request.json["dedup_key"] in failures:
            failures.clear()
            raise Unavailable("a blip")
        return Response(202, b"{}")

    world.http.answer("http://pagerduty.test", peer=once_down)
    assert send(world, "resolve").kind == "failed"
    world.clock.advance(5)
    assert send(world, "resolve").kind == "sent"
    assert [e for e in events(world) if e[0] == "resolve"] == [
        ("resolve", "inc1"),
        ("resolve", "inc1.worsened-7-0"),
        ("resolve", "inc1.worsened-7-0"),
    ]
    assert len(the_intent(world, "resolve").sent) == 2


# -- whatever happens ------------------------------------------------------------------------------------------------


@given(
    pagerduty=st.lists(st.sampled_from([202, 400, 429, 503, None]), min_size=1, max_size=6),
    webhook=st.lists(st.sampled_from([200, 401, 500, None]), min_size=1, max_size=6),
    notices=st.booleans(),
    pause=st.sampled_from([1, 7, 60, 400]),
)
def test_a_page_is_never_lost_and_never_doubled_at_one_provider(
    pagerduty: list[int | None], webhook: list[int | None], notices: bool, pause: int
) -> None:
    """However the providers fail, it is sent as soon as one takes it, and then no more."""
    world = a_scene()
    world.notices.down = not notices

    def peer(answers: list[int | None]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            status = answers.pop(0) if len(answers) > 1 else answers[0]
            if status is None:
                raise Unavailable("no answer")
            return Response(status, b"{}")

        return answer

    world.http.answer("http://pagerduty.test", peer=peer(list(pagerduty)))
    world.http.answer("http://receiver.test", peer=peer(list(webhook)))
    for _ in range(2400 // pause + paging.TRIES):
        send(world)
        if the_intent(world).state != "pending":
            break
        world.clock.advance(pause)
    intent = the_intent(world)
    possible = notices or 202 in pagerduty or 200 in webhook
    assert intent.state == ("sent" if possible else "failed")
    assert len(intent.sent) == (1 if intent.state == "sent" else 0)
    outcomes = [mail.detail["outcome"] for mail in mails(world)]
    assert outcomes.count("sent") == (intent.state == "sent")
    before = len(world.http.sent)
    send(world)
    assert len(world.http.sent) == before


def test_people_that_a_step_names_need_no_rota() -> None:
    steps = (EscalationStep(("person:ada", "person:grace"), ("pagerduty",)),)
    world = a_scene(an_intent(steps=steps), people={"ada": a_person(), "grace": a_person("grace")}, rotas={})
    assert send(world).reason == "Ada, Grace by pagerduty"
    assert world.store.get(keys.budget("ada", T0)) is not None


def test_a_rota_of_another_zone_is_asked_for_its_own_time() -> None:
    rota = Rota("payments", "Pacific/Auckland", T0.date(), a_team().rotas["payments"].handover, ("ada", "grace"), 1)
    assert send(a_scene(rotas={"payments": rota})).reason == "Ada by pagerduty"

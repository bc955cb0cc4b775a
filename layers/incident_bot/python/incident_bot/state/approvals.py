"""Approvals: requested once, decided by people under the rules, claimed once, expired only by their own write."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from incident_bot.domain.errors import Conflict, Invalid, NotFound, Refused
from incident_bot.domain.incident import Incident
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.shape import dump, load
from incident_bot.domain.team import Person
from incident_bot.state import keys, mailbox
from incident_bot.world import ABSENT, Check, Put, Store, Update, World, Write

CONSOLE = "console"  # Step Functions does not tell who started an execution
TRIES = 5


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's (or the console's) decision."""

    person: str
    decision: str  # approve or reject
    reason: str
    at: datetime
    via: str = "api"


@dataclass(frozen=True, slots=True)
class Approval:
    """A request to approve exactly one plan. `state`: pending, approved, claimed, rejected, expired, void."""

    id: str
    incident: str
    action: str
    digest: str
    policy: str
    created_at: datetime
    expires_at: datetime
    state: str = "pending"
    requester: str = ""
    needed: int = 1
    role: str = ""  # at least one approver must have it
    decisions: tuple[Vote, ...] = ()
    claimed_by: str = ""
    text: str = ""

    @property
    def approvers(self) -> tuple[str, ...]:
        """Who approved, in order."""
        return tuple(vote.person for vote in self.decisions if vote.decision == "approve")


def read(store: Store, identifier: str) -> Approval:
    """The approval of that id; NotFound."""
    item = store.get(keys.approval(identifier))
    if item is None:
        raise NotFound(f"there is no approval {identifier}")
    return load(Approval, item)


def of(store: Store, incident: str) -> list[Approval]:
    """All approvals of an incident, oldest first."""
    found = [load(Approval, item) for item in store.query(f"INC#{incident}", "APPROVAL#")]
    return sorted(found, key=lambda approval: int(approval.id.rsplit("-p", 1)[1]))


def opening(approval: Approval) -> Put:
    """The write that records a new request."""
    pk, sk = keys.approval(approval.id)
    return Put({"PK": pk, "SK": sk, **dump(approval)}, {"PK": ABSENT})


def claiming(approval: Approval, run: str) -> Update:
    """The write by which one run, and only one, takes an approval up."""
    expect = {"state": "approved", "digest": approval.digest}
    return Update(keys.approval(approval.id), set={"state": "claimed", "claimed_by": run}, expect=expect)


def expire(world: World, identifier: str) -> bool:
    """Expire it if it is still pending and its time is over; whether it is expired now."""
    approval = read(world.store, identifier)
    if approval.state == "pending" and world.now() >= approval.expires_at:
        return _end(world, approval, "expired")
    return approval.state == "expired"


def void(world: World, identifier: str) -> bool:
    """Take a request back that nobody has decided (its incident is over); whether it is void now."""
    approval = read(world.store, identifier)
    return _end(world, approval, "void") if approval.state == "pending" else approval.state == "void"


def _end(world: World, approval: Approval, state: str) -> bool:
    ended = Update(keys.approval(approval.id), set={"state": state}, expect={"state": "pending"})
    fate = "expired" if state == "expired" else "denied"
    action = Update(keys.action(approval.action), set={"state": fate}, expect={"state": "proposed"})
    try:
        world.store.write([ended, action])
    except Conflict:
        return read(world.store, approval.id).state == state
    return True


def decide(  # noqa: PLR0917 - what a person says, in the order of the command line
    world: World, approval_id: str, decision: str, reason: str, digest: str, person: str, via: str = "api"
) -> Approval:
    """Record one person's decision (`person`: an id of `people.yaml`; empty: the console) and tell the incident.

    Raises NotFound, Invalid (decision or reason missing) and Refused: 403 who may not, 409 used or not this plan, 410
    expired. The same person twice is used; the last approval that was needed makes it approved, one rejection rejects.
    """
    if decision not in ("approve", "reject"):
        raise Invalid(f"is approve or reject, not {decision!r}", where="decision")
    if not reason.strip():
        raise Invalid("say why", where="reason")
    vote = Vote(person or CONSOLE, decision, reason.strip()[:1000], world.now(), via)
    for _ in range(TRIES):
        before = read(world.store, approval_id)
        _check(world, before, vote, digest)
        try:
            return _record(world, before, _with(before, vote, world.team.people))
        except Conflict:
            continue  # somebody else decided at the same moment: look at what is left to decide
    raise Refused("too many people decide at once: try again", rule="contention", status=409)


def _record(world: World, before: Approval, after: Approval) -> Approval:
    """One transaction of the decision, what it makes of the action, and the mail; then the wake-up."""
    vote = after.decisions[-1]
    known = dump(before.decisions)
    current = {"state": "proposed", "digest": after.digest}
    fields = {"state": after.state, "decisions": dump(after.decisions)}
    writes: list[Write] = [
        Update(keys.approval(after.id), set=fields, expect={"state": "pending", "decisions": known}),
        mailbox.posting(world, after.incident, [_mail(after, vote)]),
    ]
    if after.state in ("approved", "rejected"):
        state = {"state": after.state, "approvers": list(after.approvers)}
        writes.append(Update(keys.action(after.action), set=state, expect=current))
    else:
        writes.append(Check(keys.action(after.action), current))
    world.store.write(writes)
    mailbox.wake(world, after.incident)
    return after


def _mail(approval: Approval, vote: Vote) -> Mail:
    detail = {
        "decision": vote.decision,
        "state": approval.state,
        "action": approval.action,
        "digest": approval.digest,
        "via": vote.via,
        "missing": str(max(approval.needed - len(approval.approvers), 0)),
    }
    return Mail(MailKind.APPROVAL, vote.at, approval.id, vote.person, vote.reason, detail)


def _with(approval: Approval, vote: Vote, people: Mapping[str, Person]) -> Approval:
    decided = replace(approval, decisions=(*approval.decisions, vote))
    if vote.decision == "reject":
        return replace(decided, state="rejected")
    enough = len(decided.approvers) >= decided.needed
    return replace(decided, state="approved") if enough and _role(decided, people) else decided


def _role(approval: Approval, people: Mapping[str, Person]) -> bool:
    """Whether somebody with the role is among them. Whom IAM lets start the decision machine stands in for one, where
    one is enough."""
    if CONSOLE in approval.approvers and approval.needed == 1:
        return True
    known = (people.get(person) for person in approval.approvers)
    return not approval.role or any(approval.role in person.roles for person in known if person)


def _check(world: World, approval: Approval, vote: Vote, digest: str) -> None:
    _check_state(world, approval)
    _check_person(world, approval, vote)
    if digest != approval.digest:
        raise Refused("the digest is not that of the plan as it is now: read it again", rule="digest", status=409)
    if vote.decision == "approve":
        _check_current(world, approval)


def _check_state(world: World, approval: Approval) -> None:
    if approval.state == "expired" or (approval.state == "pending" and expire(world, approval.id)):
        raise Refused(f"approval {approval.id} has expired", rule="expired", status=410)
    if approval.state != "pending":
        raise Refused(f"approval {approval.id} is {approval.state} already", rule="used", status=409)


def _check_person(world: World, approval: Approval, vote: Vote) -> None:
    console = vote.person == CONSOLE
    if not console and vote.person not in world.team.people:
        raise Refused(f"{vote.person} is nobody who may approve", rule="approver", status=403)
    if console and approval.requester:
        raise Refused("a person asked for this: the console cannot tell who decides", rule="console", status=403)
    if vote.person == approval.requester and vote.decision == "approve":
        raise Refused("whoever asked for it never approves it", rule="requester", status=403)
    if any(earlier.person == vote.person for earlier in approval.decisions):
        raise Refused(f"{vote.person} has decided already", rule="used", status=409)
    if vote.decision == "approve" and _is_last_and_lacks_the_role(approval, vote, world.team.people):
        raise Refused(f"the last approval has to be by one with the role {approval.role}", rule="approver", status=403)


def _is_last_and_lacks_the_role(approval: Approval, vote: Vote, people: Mapping[str, Person]) -> bool:
    with_it = replace(approval, decisions=(*approval.decisions, vote))
    return len(with_it.approvers) >= approval.needed and not _role(with_it, people)


def _check_current(world: World, approval: Approval) -> None:
    action: dict[str, Any] = world.store.get(keys.action(approval.action)) or {}
    if action.get("digest") != approval.digest or action.get("policy") != approval.policy:
        raise Refused("there is a newer plan: read it again", rule="digest", status=409)
    incident = world.store.get(keys.meta(approval.incident))
    if incident is not None and load(Incident, incident).over:
        raise Refused("the incident is over", rule="over", status=409)

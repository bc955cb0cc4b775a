"""Proposals: from a playbook or a person to an exact plan, judged by the guardrails, with an approval if they ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from incident_bot import plugins
from incident_bot.actions import Action, Want
from incident_bot.domain.answer import meaning
from incident_bot.domain.arn import kind_of
from incident_bot.domain.errors import Conflict, IncidentBotError, Invalid, Refused
from incident_bot.domain.incident import ActionState, Incident
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.plan import Plan
from incident_bot.domain.policy import Decision, Verdict
from incident_bot.domain.team import Mode, Playbook, Resource, Service
from incident_bot.remedy.judging import judge, mode_of, policy_of
from incident_bot.state import actions, approvals, incidents, mailbox
from incident_bot.state.actions import Remediation
from incident_bot.state.approvals import Approval
from incident_bot.world import World, Write

CELLS = "cells"
LIFT_AFTER = 1800  # seconds; a temporary mitigation always has a deadline
NEVER_STARTED = timedelta(minutes=5)
TRIES = 5


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose proposal it is: a playbook's or a person's (with the reason); `rest`: it leaves more for later."""

    playbook: Playbook | None
    requester: str = ""
    reason: str = ""
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan with its judgement, ready to be written: the remediation, and the approval where one is asked for."""

    remediation: Remediation
    decision: Decision
    approval: Approval | None

    def writes(self) -> list[Write]:
        """The writes that record it."""
        due = self.approval.expires_at if self.approval else self.remediation.created_at + NEVER_STARTED
        watched = self.remediation.state in ("proposed", "approved")
        opening: list[Write] = [actions.opening(self.remediation, due if watched else None)]
        return [*opening, approvals.opening(self.approval)] if self.approval else opening

    def standing(self) -> ActionState:
        """The action as its incident knows it."""
        return ActionState(
            action=self.remediation.action,
            target=", ".join(self.remediation.plan.targets),
            state=self.remediation.state,
            playbook=self.remediation.playbook,
            digest=self.remediation.digest,
            approval=self.remediation.approval,
            lift_after_seconds=self.remediation.lift_after_seconds,
        )


def propose(  # noqa: PLR0917 - what a person names, in the order of the command line
    world: World,
    incident_id: str,
    action: str,
    target: str,
    parameters: Mapping[str, str | int],
    requester: str,
    reason: str,
) -> Remediation:
    """A person's proposal: planned, judged and recorded with a request for approval by somebody else.

    Raises NotFound, Invalid (what is asked for makes no sense) and Refused (the guardrails or the world say no).
    """
    incident = incidents.read(world.store, incident_id)
    if incident.over:
        raise Refused(f"incident {incident_id} is over", rule="over", status=409)
    if requester not in world.team.people:
        raise Refused(f"{requester or 'nobody'} is no person who may propose", rule="requester")
    if not reason.strip():
        raise Invalid("say why", where="reason")
    plugin = _plugin(action)
    service, targets = _targets(world, incident.service, plugin, target)
    plan = plan_of(world, action, service, targets, _typed(plugin, parameters))
    decision = judge(world, plan, service, None, requester=requester)
    if decision.verdict is Verdict.DENY:
        said = f"{requester} asked for {action} on {target}: denied by {decision.rule}, {decision.reason}"
        mailbox.post(world, incident_id, Mail(MailKind.NOTE, world.now(), actor=requester, text=said))
        raise Refused(decision.reason, rule=decision.rule, status=409)
    for _ in range(TRIES):
        proposal = drafted(world, incident, service, plan, decision, origin=Origin(None, requester, reason.strip()))
        mail = Mail(MailKind.PROPOSE, world.now(), proposal.remediation.id, requester, f"{reason}: {plan.text}")
        try:
            world.store.write([*proposal.writes(), mailbox.posting(world, incident_id, [mail])])
        except Conflict:
            continue  # somebody else took the number: take the next
        mailbox.wake(world, incident_id)
        return proposal.remediation
    raise Conflict(f"incident {incident_id} is proposed for too often at once")


def candidates(
    world: World, incident: Incident, playbook: Playbook, service_name: str
) -> tuple[Service, tuple[Resource, ...], bool]:
    """The service and targets that a playbook means now, the canary first; and whether more is left for later.

    A playbook in mode canary is planned for the canary alone; once that has helped, for the rest, which is asked for.
    """
    service, targets = _targets(world, service_name, _plugin(playbook.action), playbook.target)
    if mode_of(world, playbook) is not Mode.CANARY or len(targets) == 1:
        return service, targets, False
    done = {
        target
        for earlier in actions.of(world.store, incident.id)
        if earlier.playbook == playbook.name and earlier.state == "applied"
        for target in earlier.plan.targets
    }
    left = tuple(resource for resource in targets if resource.arn not in done)
    canary = tuple(resource for resource in left if resource.canary)
    if canary and not done:
        return service, canary, len(left) > len(canary)
    return service, left, False


def tried(world: World, incident: Incident, playbook: Playbook) -> bool:
    """Whether this incident had its turn of that playbook.

    Waiting for a lock is none, nor is a denial that may pass (a freeze, a cooldown); a canary that helped is half.
    """
    ours = (a for a in actions.of(world.store, incident.id) if a.playbook == playbook.name)
    turns = [a for a in ours if a.state != "busy" and not (a.state == "denied" and a.rule != "mode")]
    return bool(turns) and not (turns[-1].rest and turns[-1].state == "applied")


def plan_of(
    world: World, action: str, service: Service, targets: Sequence[Resource], parameters: Mapping[str, str | int]
) -> Plan:
    """The exact plan; raises one of our errors, whatever AWS answered."""
    plugin = _plugin(action)
    peers = tuple(resource for resource in service.resources if kind_of(resource.arn) == plugin.takes)
    try:
        return plugin.plan(Want(tuple(targets), parameters, peers), world.clients)
    except IncidentBotError:
        raise
    except Exception as error:  # the SDK's exceptions have no base that may be imported here
        raise meaning(error) from error


def drafted(
    world: World,
    incident: Incident,
    service: Service,
    plan: Plan,
    decision: Decision,
    *,
    origin: Origin,
) -> Proposal:
    """Number it, and bind plan, policy, judgement and approval together."""
    playbook = origin.playbook
    number = len(actions.of(world.store, incident.id)) + 1
    asks = decision.verdict is Verdict.ASK
    states = {Verdict.ALLOW: "approved", Verdict.ASK: "proposed", Verdict.DENY: "denied"}
    name = playbook.name if playbook else ""
    temporary = _plugin(plan.action).temporary
    remediation = Remediation(
        id=f"{incident.id}-a{number}",
        incident=incident.id,
        scope=incident.scope,
        service=service.name,
        action=plan.action,
        plan=plan,
        digest=plan.digest,
        policy=policy_of(world, plan.action, service.name, name),
        created_at=world.now(),
        state=states[decision.verdict],
        playbook=name,
        mode=mode_of(world, playbook).value if playbook else "",
        verdict=decision.verdict.value,
        rule=decision.rule,
        reason=origin.reason or decision.reason,
        requester=origin.requester,
        approval=f"{incident.id}-p{number}" if asks else "",
        settle_seconds=playbook.settle_seconds if playbook else 60,
        lift_after_seconds=((playbook.lift_after_seconds if playbook else 0) or LIFT_AFTER) if temporary else 0,
        rest=origin.rest,
    )
    return Proposal(remediation, decision, _approval(world, remediation, decision) if asks else None)


def _approval(world: World, remediation: Remediation, decision: Decision) -> Approval:
    return Approval(
        id=remediation.approval,
        incident=remediation.incident,
        action=remediation.id,
        digest=remediation.digest,
        policy=remediation.policy,
        created_at=world.now(),
        expires_at=world.now() + timedelta(seconds=world.team.guardrails.approval_ttl_seconds),
        requester=remediation.requester,
        needed=decision.approvers,
        role=decision.approver_role,
        text=f"{remediation.plan.text} ({decision.rule}: {decision.reason})",
    )


def _plugin(name: str) -> Action:
    plugin = plugins.actions().get(name)
    if plugin is None:
        raise Invalid(f"is no action ({', '.join(plugins.actions())}), but {name!r}", where="action")
    return plugin


def _targets(world: World, service_name: str, plugin: Action, target: str) -> tuple[Service, tuple[Resource, ...]]:
    """The service and its resources that are meant. Only what the configuration lists can be a target."""
    own = world.team.services.get(service_name)
    if target == CELLS:
        fitting = tuple(r for r in (own.resources if own else ()) if kind_of(r.arn) == plugin.takes)
        if own is None or not fitting:
            raise Refused(f"{service_name} has nothing that {plugin.name} takes", rule="target", status=409)
        return own, tuple(sorted(fitting, key=lambda resource: not resource.canary))
    services = [own, *world.team.services.values()] if own else list(world.team.services.values())
    for service in services:
        for resource in service.resources:
            if resource.arn == target and kind_of(target) == plugin.takes:
                return service, (resource,)
    raise Refused(f"{target} is no configured {plugin.takes}", rule="target", status=409)


def _typed(plugin: Action, parameters: Mapping[str, str | int]) -> Mapping[str, str | int]:
    """The parameters in the types that the action declares; nothing that it does not declare passes."""
    typed: dict[str, str | int] = {}
    for name, value in parameters.items():
        wanted = plugin.parameters.get(name)
        if wanted is None:
            raise Invalid(f"{plugin.name} takes no parameter {name!r}", where="parameters")
        if wanted is int and not str(value).isdigit():
            raise Invalid(f"must be a whole number, not {value!r}", where=f"parameters.{name}")
        typed[name] = int(value) if wanted is int else str(value)
    return typed

"""The guardrails over the world: gather what the decision depends on, and decide."""

from incident_bot.domain import policy
from incident_bot.domain.plan import Plan
from incident_bot.domain.policy import Decision, Situation
from incident_bot.domain.team import Mode, Playbook, Service
from incident_bot.state import budgets, controls
from incident_bot.world import World


def kill_switch(world: World) -> str:
    """Why the kill switch is on, read now; empty when it is off."""
    return controls.switch(world.store).engaged


def playbook_of(world: World, name: str) -> Playbook | None:
    """The configured playbook of that name."""
    return next((playbook for playbook in world.team.playbooks if playbook.name == name), None)


def mode_of(world: World, playbook: Playbook) -> Mode:
    """The playbook's effective mode: what is configured, or what it has earned where that is less."""
    return policy.lowest(playbook.mode, budgets.earned(world.store, playbook.name).mode)


def judge(
    world: World,
    plan: Plan,
    service: Service | None,
    playbook: Playbook | None,
    *,
    requester: str = "",
    resuming: bool = False,
) -> Decision:
    """Decide by the guardrails as everything is now."""
    spent = budgets.spent(world, plan.action, plan.targets)
    situation = Situation(
        now=world.now(),
        plan=plan,
        service=service,
        guardrails=world.team.guardrails,
        kill_switch=kill_switch(world),
        mode=mode_of(world, playbook) if playbook else None,
        playbook=playbook.name if playbook else "",
        requester=requester,
        taken=spent.taken,
        last=spent.last,
        failures=spent.failures,
        resuming=resuming,
    )
    return policy.decide(situation)


def policy_of(world: World, action: str, service: str, playbook: str) -> str:
    """The fingerprint of the policy that governs such an action now."""
    team = world.team
    return policy.fingerprint(team.guardrails, action, team.services.get(service), playbook_of(world, playbook))

"""The shared procedures of remediation over the world: propose, act, check, release, order an undo, repair."""

from incident_bot.remedy.acting import act
from incident_bot.remedy.checking import check
from incident_bot.remedy.judging import judge
from incident_bot.remedy.proposing import Origin, Proposal, candidates, drafted, plan_of, propose, tried
from incident_bot.remedy.releasing import release
from incident_bot.remedy.repairing import order_undo, repair, repair_lock

__all__ = [
    "Origin",
    "Proposal",
    "act",
    "candidates",
    "check",
    "drafted",
    "judge",
    "order_undo",
    "plan_of",
    "propose",
    "release",
    "repair",
    "repair_lock",
    "tried",
]

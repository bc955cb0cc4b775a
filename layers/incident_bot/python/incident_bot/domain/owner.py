"""Ownership: which team an incident belongs to, and whom that team has paged for it."""

from dataclasses import replace

from incident_bot.domain.incident import Escalation, Incident
from incident_bot.domain.team import Team


def frozen(owner: str, team: Team) -> Escalation:
    """The owner's escalation as it is now (or the default team's), kept for the incident's life."""
    name = owner if owner in team.groups else team.default_group
    group = team.groups.get(name)
    return Escalation(name, group.steps, group.rounds) if group else Escalation(name)


def rerooted(incident: Incident, root: str, team: Team) -> Incident:
    """The incident with another probable root; its owner, where that is another team, is paged from the first step."""
    service = team.services.get(root)
    owner = service.owner if service else team.default_group
    escalation = incident.escalation if owner == incident.owner else frozen(owner, team)
    return replace(incident, service=root, owner=owner, escalation=escalation)

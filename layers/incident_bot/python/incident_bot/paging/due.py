"""What is due: every message of an incident that waits to be sent is sent, whatever becomes of the others."""

from incident_bot.domain.errors import IncidentBotError
from incident_bot.paging.sending import send
from incident_bot.state import intents
from incident_bot.world import World

BUDGET_SECONDS = 8.0  # for the channels of one message


def send_due(world: World, incident: str) -> int:
    """Send what is due and not held; returns how much left. A message that failed is due again, for `sweep` as well.

    A message that cannot even be tried does not keep the others back; it is raised at the end, for a retry.
    """
    sent, problems = 0, []
    for name in _due(world, incident):
        try:
            sent += send(world, incident, name, budget_seconds=BUDGET_SECONDS).kind == "sent"
        except IncidentBotError as problem:
            problems.append(problem)
    if problems:
        raise problems[0]
    return sent


def _due(world: World, incident: str) -> list[str]:
    """The pending messages, in the order they were written; a page comes before what only tells."""
    due = [i for i in intents.of(world.store, incident) if i.ready(world.now())]
    ordered = sorted(due, key=lambda i: (not i.pages, i.created_at or world.now(), i.name))
    return [intent.name for intent in ordered]

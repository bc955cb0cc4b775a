"""Labels: what responders say of an incident, and how often they said it of each alert, kind of alert and rule."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from incident_bot.domain.incident import Incident

KIND, RULE = "kind:", "rule:"
LONGEST_SUBJECT = 200  # characters: titles are foreign text


class Label(StrEnum):
    """Whether somebody had to do something about it."""

    FALSE_POSITIVE = "false-positive"
    ACTIONABLE = "actionable"


@dataclass(frozen=True, slots=True)
class Tally:
    """In how many labelled incidents a subject occurred, by what people said of them."""

    actionable: int = 0
    false_positive: int = 0

    @property
    def total(self) -> int:
        """All labelled incidents it occurred in."""
        return self.actionable + self.false_positive


UNLABELLED = Tally()


@dataclass(frozen=True, slots=True)
class Labelled:
    """The last label of an incident, and the subjects in whose tallies it is counted. `changes` counts its labels."""

    label: Label
    by: str
    at: datetime
    reason: str
    counted: tuple[str, ...]
    changes: int = 1


def subjects(incident: Incident) -> tuple[str, ...]:
    """What a label of that incident speaks of: its first alerts (fingerprints), the kind and rule that opened it."""
    kind = (f"{KIND}{incident.kind}"[:LONGEST_SUBJECT],) if incident.kind else ()
    rule = (f"{RULE}{incident.rule}"[:LONGEST_SUBJECT],) if incident.rule else ()
    return (*incident.fingerprints, *kind, *rule)


def recounted(before: Labelled | None, label: Label, counted: Iterable[str]) -> dict[str, Mapping[Label, int]]:
    """What the label adds to each subject's tally, and takes from it where another label was counted there before.

    However often an incident is labelled, it counts once, by its last label.
    """
    changes: dict[str, dict[Label, int]] = {}
    if before:
        changes = {subject: {before.label: -1} for subject in before.counted}
    for subject in counted:
        change = changes.setdefault(subject, {})
        change[label] = change.get(label, 0) + 1
    net = {subject: {said: by for said, by in change.items() if by} for subject, change in changes.items()}
    return {subject: change for subject, change in net.items() if change}

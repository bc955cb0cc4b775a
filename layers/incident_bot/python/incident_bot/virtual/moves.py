"""Moves of groups between incidents, as a replay sees them on the head: where each delivery ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from incident_bot.domain.head import Head
from incident_bot.domain.incident import Incident


@dataclass(slots=True)
class Moves:
    """Every move so far, by group in order of time: when, from which incident and to which."""

    by_group: dict[str, list[tuple[datetime, str, str]]] = field(default_factory=dict)
    _last: dict[str, str] = field(default_factory=dict)

    def note(self, head: Head, at: datetime) -> None:
        """Compare the head with the one before."""
        now = {name: group.incident for name, group in head.groups.items()}
        for name, incident in now.items():
            before = self._last.get(name, incident)
            if before != incident:
                self.by_group.setdefault(name, []).append((at, before, incident))
        self._last = now

    def present(self, head: Head, group: str, incident: str) -> str:
        """The incident that a series of that group, last recorded in that incident, belongs to now."""
        shown = head.groups.get(group)
        if shown:
            return shown.incident
        for _, origin, target in self.by_group.get(group, ()):
            incident = target if incident == origin else incident
        return incident

    def followed(
        self,
        incidents: Mapping[str, Incident],
        group: str,
        incident: str,
        since: datetime,
        until: datetime | None = None,
    ) -> str:
        """Where what was in that incident at `since`, by that group, is at `until` (None: in the end)."""
        for at, origin, target in self.by_group.get(group, ()):
            if at > since and (until is None or at <= until) and origin == incident:
                incident = target
        found = incidents[incident]
        while found.merged_into and (until is None or (found.resolved_at and found.resolved_at <= until)):
            found = incidents[found.merged_into]
        return found.id

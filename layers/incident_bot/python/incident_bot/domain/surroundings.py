"""Surroundings of a group: the others of the head that it may belong with, and what could explain what among them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property

from incident_bot.domain.cause import Cost, Topology, cost
from incident_bot.domain.gather import strong
from incident_bot.domain.head import Group, Head
from incident_bot.domain.learn import LEARNED_AT, causal
from incident_bot.domain.team import Correlation

JOINED_FOR = timedelta(hours=6)  # an incident older than this takes its own groups' alerts, and no others


class Surroundings:
    """One group among all others of the head; `others` are those that are open to it."""

    def __init__(self, name: str, head: Head, topology: Topology, by: Correlation) -> None:
        self.name, self.head, self.topology, self.by = name, head, topology, by
        self.group = head.groups[name]
        last = self.group.last
        open_to_it = {i for i, m in head.incidents.items() if not m.noise and last - m.opened_at <= JOINED_FOR}
        self.others: Mapping[str, Group] = {
            n: g for n, g in head.groups.items() if n != name and g.incident in open_to_it and strong(g, by)
        }

    @cached_property
    def began(self) -> Mapping[str, datetime]:
        """When the last group of each service began that fires."""
        return {group.service: group.began for group in self.others.values() if group.firing}

    def cost(self, effect: Group, cause: Group) -> Cost | None:
        if effect.service == cause.service:
            return None
        if not self.topology.blank:
            hops = self.topology.upstream(effect.service).get(cause.service)
            return cost(effect, cause, hops, self.by) if hops else None
        if not self.by.together_seconds:
            return None
        lag = (effect.began - cause.began).total_seconds()
        apart = effect.place != cause.place
        return (0, 0, 0, 1, lag) if 0 <= lag <= self.by.together_seconds and not apart else None

    def causal(self, group: Group, cause: Group | None = None) -> str:
        """The kind of alert that makes it a cause and no effect of that one, which does not show that kind itself."""
        if self.topology.blank:
            return ""
        spread = {} if cause is None else cause.kinds
        own = {kind: number for kind, number in group.kinds.items() if kind not in spread}
        counted = not group.effect and group.series > LEARNED_AT
        return causal(self.head.kinds, group.kinds, self.by.causes, counted=counted, among=own)

    def downwards(self, name: str) -> dict[str, None]:
        """The group and all that it explains, through others too, inside its incident."""
        found = {name: None}
        incident = self.head.groups[name].incident
        for _ in range(len(self.head.groups)):
            more = {n: None for n, g in self.head.groups.items() if g.cause in found and n not in found}
            more = {n: None for n in more if self.head.groups[n].incident == incident}
            if not more:
                break
            found |= more
        return found

    def upwards(self, name: str) -> set[str]:
        found: set[str] = set()
        while name and name not in found:
            found.add(name)
            name = self.head.groups[name].cause if name in self.head.groups else ""
        return found

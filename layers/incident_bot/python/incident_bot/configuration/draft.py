"""The configuration while it is being checked: what could be read of it, and every name that is declared in it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from incident_bot import plugins
from incident_bot.actions import Action
from incident_bot.configuration.custom import Described
from incident_bot.domain.alert import Severity
from incident_bot.domain.planned import Maintenance, Recurring
from incident_bot.domain.team import (
    ChannelSettings,
    Confidence,
    Correlation,
    DeployWindow,
    Group,
    Guardrails,
    Heartbeat,
    Inhibition,
    Person,
    Playbook,
    Rota,
    Rule,
    Sender,
    Service,
    StormMode,
    Team,
    Timing,
)


@dataclass(frozen=True, slots=True)
class Installed:
    """What the plug-ins offer: actions, channels, and the labels that each source declares."""

    actions: Mapping[str, Action]
    channels: Collection[str]
    labels: Mapping[str, Collection[str]]

    @classmethod
    def discovered(cls) -> "Installed":
        """What is in the plug-in folders."""
        return cls(
            plugins.actions(), tuple(plugins.channels()), {name: s.labels for name, s in plugins.sources().items()}
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """The valid entries of all files; `names` also holds the names of invalid ones, so that one mistake is told once.

    Rules and playbooks carry their index in the file.
    """

    installed: Installed
    services: dict[str, Service] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    rotas: dict[str, Rota] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    default_group: str = ""
    rules: list[tuple[int, Rule]] = field(default_factory=list)
    timing: Timing = field(default_factory=Timing)
    correlation: Correlation = field(default_factory=Correlation)
    confidence: Confidence = field(default_factory=Confidence)
    storm: StormMode = field(default_factory=StormMode)
    maintenance: list[tuple[int, Maintenance]] = field(default_factory=list)
    recurring_maintenance: list[tuple[int, Recurring]] = field(default_factory=list)
    inhibitions: list[tuple[int, Inhibition]] = field(default_factory=list)
    deploy_windows: list[tuple[int, DeployWindow]] = field(default_factory=list)
    recording: bool = True
    records: Severity | None = None
    playbooks: list[tuple[int, Playbook]] = field(default_factory=list)
    guardrails: Guardrails = field(default_factory=Guardrails)
    channels: dict[str, ChannelSettings] = field(default_factory=dict)
    heartbeats: dict[str, Heartbeat] = field(default_factory=dict)
    senders: dict[str, Sender] = field(default_factory=dict)
    sns_topics: list[tuple[int, str]] = field(default_factory=list)
    custom: dict[str, Described] = field(default_factory=dict)
    names: Mapping[str, Collection[str]] = field(default_factory=dict)  # "services" -> names, and so on

    def team(self) -> Team:
        """The team, without its digest."""
        return Team(
            services=self.services,
            people=self.people,
            rotas=self.rotas,
            groups=self.groups,
            rules=tuple(rule for _, rule in self.rules),
            playbooks=tuple(playbook for _, playbook in self.playbooks),
            guardrails=self.guardrails,
            channels=self.channels,
            timing=self.timing,
            correlation=self.correlation,
            confidence=self.confidence,
            storm=self.storm,
            maintenance=tuple(planned for _, planned in self.maintenance),
            recurring_maintenance=tuple(recurring for _, recurring in self.recurring_maintenance),
            inhibitions=tuple(inhibition for _, inhibition in self.inhibitions),
            deploy_windows=tuple(window for _, window in self.deploy_windows),
            heartbeats=self.heartbeats,
            senders=self.senders,
            sns_topics=tuple(topic for _, topic in self.sns_topics),
            custom={name: described.custom for name, described in self.custom.items()},
            default_group=self.default_group,
            recording=self.recording,
            records=self.records,
        )

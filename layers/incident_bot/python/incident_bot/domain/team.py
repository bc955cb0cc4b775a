"""The team's own facts, as the rest of the product sees them: services, people, rules, playbooks, guardrails.

The YAML files under `config/` are validated against exactly these shapes (`incident_bot.configuration`), compiled to
one JSON document and loaded from it without any library. Names refer to each other by string; validation proves that
they exist.
ARNs may contain `${AWS::Partition}`, `${AWS::Region}` and `${AWS::AccountId}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum

from incident_bot.domain.alert import Severity
from incident_bot.domain.custom import Custom
from incident_bot.domain.planned import Maintenance, Recurring


class Mode(StrEnum):
    """How much a playbook may do by itself. A person moves it up this ladder; a rollback moves it down."""

    MONITOR = "monitor"  # says what it would do
    PROPOSE = "propose"  # plans and asks
    CANARY = "canary"  # may apply to the canary target alone; asks for the rest
    FULL = "full"  # may apply everywhere the guardrails allow


@dataclass(frozen=True, slots=True)
class Signal:
    """A CloudWatch metric that tells whether a target is well: healthy while `statistic` is below `healthy_below`."""

    namespace: str
    metric: str
    healthy_below: float
    statistic: str = "Average"
    period_seconds: int = 60
    dimensions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resource:
    """One AWS resource of a service: what an action may target. `cell` groups targets; the canary is touched first."""

    arn: str
    cell: str = ""
    canary: bool = False
    signal: Signal | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A service, its owner and what it depends on. Tier 1 touches customers directly, tier 3 does not."""

    name: str
    owner: str  # a team's name
    tier: int = 2
    environment: str = "production"
    depends_on: tuple[str, ...] = ()
    runbook: str = ""
    alarms: tuple[str, ...] = ()  # alarm-name prefixes that belong to this service
    resources: tuple[Resource, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be paged, by their team's key, or act. `arns` are the IAM identities that are this person."""

    id: str
    name: str
    arns: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()  # e.g. "sre", "security": what approver rules name


@dataclass(frozen=True, slots=True)
class Rota:
    """Who is on call when: `people` take turns of `turn_days` local days, handing over at `handover` local time."""

    name: str
    timezone: str
    starts: date
    handover: time
    people: tuple[str, ...]
    turn_days: int = 7


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """Whom to page, by which channels in order of preference, and how long to wait for an acknowledgement."""

    notify: tuple[str, ...]  # "rota:NAME" or "person:ID"
    channels: tuple[str, ...]
    wait_seconds: int = 300


@dataclass(frozen=True, slots=True)
class Group:
    """A team: owns services and is paged for them by its escalation steps, at most `rounds` times through."""

    name: str
    steps: tuple[EscalationStep, ...]
    rounds: int = 3
    ack_expires_seconds: int = 3600
    pager: Mapping[str, str] = field(default_factory=dict)  # channel -> name of the SSM SecureString with its key


@dataclass(frozen=True, slots=True)
class Rule:
    """A classification rule: where all `when` matchers hold, `set_*` apply. The first rule that matches decides.

    Matchers map `source`, `service`, `title`, `status` or `labels.NAME` to a pattern with `*` wildcards.
    `hold_seconds` waits before paging (transient alerts); `noise` records and never pages.
    """

    name: str
    owner: str
    review_by: date
    when: Mapping[str, str]
    severity: Severity | None = None
    category: str = ""
    service: str = ""
    noise: bool = False
    hold_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Playbook:
    """When to propose which action. `hold_page_seconds` (at most 180) lets a full-mode playbook hold the page."""

    name: str
    owner: str
    review_by: date
    when: Mapping[str, str]
    action: str
    target: str  # ARN of one of the service's resources, or "cells": all the service's resources that the action takes
    mode: Mode = Mode.MONITOR
    parameters: Mapping[str, str | int] = field(default_factory=dict)
    hold_page_seconds: int = 0
    lift_after_seconds: int = 0  # 0: the change is meant to stay
    settle_seconds: int = 60
    helps: str = ""  # what a person reads: why this helps


@dataclass(frozen=True, slots=True)
class Freeze:
    """A change freeze: no forward action inside it."""

    name: str
    starts: datetime
    ends: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ActionLimits:
    """Limits of one action (or of all, under the name `*`)."""

    environments: tuple[str, ...] = ()
    max_share: float = 0.5  # of the service's capacity that one step may touch; above it a person is asked
    per_hour: int = 3
    cooldown_seconds: int = 600
    max_cost_usd_per_hour: float = 5.0
    approvers: int = 1
    approver_role: str = ""  # at least one approver must have this role; empty: any person


@dataclass(frozen=True, slots=True)
class Guardrails:
    """What automation may do at all. Everything not allowed here is asked or denied."""

    limits: Mapping[str, ActionLimits] = field(default_factory=dict)
    freezes: tuple[Freeze, ...] = ()
    approval_ttl_seconds: int = 900
    stop_after_failures: int = 3

    def limits_of(self, action: str) -> ActionLimits:
        """The limits of that action; the ones under `*` where it has none of its own."""
        return self.limits.get(action) or self.limits.get("*") or ActionLimits()


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """Where a channel's provider is reached and which SSM SecureString holds its secret."""

    url: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """The clocks of the incident's life, in seconds."""

    quiet_period: int = 60
    reopen_window: int = 1800
    stale_after: int = 3600  # a firing alert that was not repeated this long is verified at its source
    hold_limit: int = 180
    agreed_grace: int = 0  # so long a page may still be held once a second signal agrees
    cause_wait: int = 0  # so long an effect waits for its cause, and warnings for worse, to report; 0: never


@dataclass(frozen=True, slots=True)
class Correlation:
    """How alerts find the incident that they are part of. Seconds, but for `agree` (a number of series)."""

    gather_seconds: int = 45  # series of a service that begin to fire so near each other are one group
    hop_seconds: int = 75  # a fault mostly takes no longer to a service that depends on the one before
    join_window: int = 300  # what is explained by a group that grew so lately joins it, if nothing explains it better
    together_seconds: int = 0  # where no service says what it depends on: so near each other they are one; 0: never
    siblings_seconds: int = 0  # so near each other are one whose services depend on the same, which is silent; 0: never
    agree: int = 1  # a mere warning joins other services' incidents once so many series of its service fire
    shared_labels: tuple[str, ...] = ("az", "availability_zone", "zone", "node")  # what several services share
    change_labels: tuple[str, ...] = ("change", "change_id", "deployment_id", "pipeline_execution")  # what they follow
    causes: tuple[str, ...] = ()  # patterns of titles that name causes: such alerts are nobody else's effect


@dataclass(frozen=True, slots=True)
class Confidence:
    """How far an alert has to be believed to wake somebody: shares of 1, of which each counts for as much as it says.

    The `prior_*` are the labels that every alert begins with. `burn_labels` carry an error budget's burn rates, one a
    window: how many times as fast it is spent as it would just last.
    """

    page_at: float = 0.4  # what would page and is believed less becomes a ticket
    sure: float = 0.95  # a Sev1 does only where labels make it this probable that it is worth a page less often
    prior_actionable: int = 3
    prior_false_positive: int = 1
    another_source: float = 0.1  # each that alerts of the same service, up to two
    tier: float = 0.1  # more where the service's is 1, less where it is 3
    dependant: float = 0.02  # each service that depends on it, up to five
    spread: float = 0.1  # one of these alerts too
    burn: float = 0.2  # an error budget burns faster than `burn_at`
    burn_at: float = 4.0
    burn_labels: tuple[str, ...] = ("burn_rate_long", "burn_rate_short")


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert fires that fits `source`, those that fit `target` are told to nobody, for `minutes` at most.

    `equal` names fields (as matchers do) that both must have, with the same value.
    """

    name: str
    owner: str
    review_by: date
    source: Mapping[str, str]
    target: Mapping[str, str]
    equal: tuple[str, ...] = ()
    minutes: int = 360


@dataclass(frozen=True, slots=True)
class StormMode:
    """From how many pages within how many seconds on a team gets one summary for all that follow."""

    pages: int = 6
    window_seconds: int = 120


@dataclass(frozen=True, slots=True)
class DeployWindow:
    """While a service is deployed, its alerts that fit `when` are recorded: for `minutes` at most, and for
    `settle_minutes` after a deployment that succeeded; where one follows another, for `chained_minutes` of them all."""

    name: str
    owner: str
    review_by: date
    when: Mapping[str, str]
    minutes: int = 30
    settle_minutes: int = 0
    chained_minutes: int = 60  # never less than `minutes`: a deployment by itself has them


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A job or a monitor that must say regularly that it lives, and the service that suffers where it does not."""

    name: str
    service: str
    every_seconds: int
    grace_seconds: int = 300
    severity: Severity | None = None  # of its absence; where nothing is said the service's tier decides


@dataclass(frozen=True, slots=True)
class Sender:
    """How fast a webhook source may send, to each warm sandbox, and the service whose team hears when it is faster."""

    per_second: float = 50
    burst: int = 500
    service: str = ""


@dataclass(frozen=True, slots=True)
class Team:
    """Everything in `config/`, validated, and the digest (sha256, hex) under which incidents record it."""

    services: Mapping[str, Service] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    rotas: Mapping[str, Rota] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    playbooks: tuple[Playbook, ...] = ()
    guardrails: Guardrails = field(default_factory=Guardrails)
    channels: Mapping[str, ChannelSettings] = field(default_factory=dict)
    timing: Timing = field(default_factory=Timing)
    correlation: Correlation = field(default_factory=Correlation)
    confidence: Confidence = field(default_factory=Confidence)
    storm: StormMode = field(default_factory=StormMode)
    maintenance: tuple[Maintenance, ...] = ()
    recurring_maintenance: tuple[Recurring, ...] = ()
    inhibitions: tuple[Inhibition, ...] = ()
    deploy_windows: tuple[DeployWindow, ...] = ()
    heartbeats: Mapping[str, Heartbeat] = field(default_factory=dict)
    senders: Mapping[str, Sender] = field(default_factory=dict)  # by source
    sns_topics: tuple[str, ...] = ()  # ARNs of topics that may deliver over HTTPS
    custom: Mapping[str, Custom] = field(default_factory=dict)  # sources described in configuration
    default_group: str = ""  # pages for services nobody configured
    records: Severity | None = None  # what is said to be as mild as this, or milder, is recorded; None: is a ticket
    recording: bool = True  # whether deliveries are kept for `incidentbot export`, secrets redacted
    digest: str = ""

"""The documents that the operator API takes and gives; its OpenAPI description is made from them."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from incident_bot.domain.label import Label

Reason = Field(min_length=1, max_length=1000, description="Why; it stands on the timeline.")


class Asked(BaseModel):
    """A request's body: nothing in it is ignored silently."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Order(Asked):
    """A person's order to an incident."""

    reason: str = Field(default="", max_length=1000, description="Why; it stands on the timeline.")


class Labelling(Asked):
    """What a person says of an incident."""

    label: Label
    reason: str = Field(default="", max_length=1000, description="Why; it stands on the timeline.")


class Splitting(Asked):
    """Alerts that do not belong to an incident: by their fingerprints, by whole groups, or both."""

    alerts: list[str] = Field(default_factory=list, max_length=50, description="Fingerprints, as `series` shows them.")
    groups: list[str] = Field(default_factory=list, max_length=20, description="Groups, as `series` shows them.")
    reason: str = Reason

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.alerts and not self.groups:
            raise ValueError("name alerts or groups")
        return self


class Merging(Asked):
    """An incident that is the same fault as another one."""

    into: str = Field(min_length=1, max_length=200, description="The incident that it belongs to.")
    reason: str = Reason


class Proposal(Asked):
    """An action that a person asks for; somebody else has to approve it."""

    action: str = Field(description="The action's name.")
    target: str = Field(description="The ARN of one of the service's resources, or `cells` for all that it takes.")
    reason: str = Reason
    parameters: dict[str, str | int] = Field(default_factory=dict)


class Decision(Asked):
    """A decision on an approval, bound to the plan of that digest."""

    decision: Literal["approve", "reject"]
    reason: str = Reason
    digest: str = Field(pattern="^[0-9a-f]{64}$", description="The digest of the plan that was read.")


class Switching(Asked):
    """The kill switch on or off."""

    on: bool = Field(strict=True)
    reason: str = Reason


class Reasoned(Asked):
    """An order that needs a reason."""

    reason: str = Reason


class Taken(BaseModel):
    """An order was written down; the incident decides on it within moments."""

    incident: str
    order: str
    by: str


class CorrectedShown(BaseModel):
    """Where the alerts are now."""

    incident: str
    groups: list[str]
    pages: bool = Field(description="Whether it pages by itself because of this.")
    by: str


class Pair(BaseModel):
    """Two services whose alerts people joined or parted by hand: their `depends_on` may be wrong."""

    services: tuple[str, str]
    joined: int
    parted: int


class SeriesShown(BaseModel):
    """One series that fires in an incident."""

    fingerprint: str
    group: str
    title: str
    source: str
    service: str
    severity: str
    since: datetime


class Row(BaseModel):
    """One incident in a list. Times are RFC 3339 in UTC."""

    id: str
    state: Literal["detected", "triaged", "active", "mitigated", "resolved", "postmortem"]
    severity: Literal["sev1", "sev2", "sev3", "sev4", "sev5"]
    service: str
    title: str
    opened_at: datetime
    resolved_at: datetime | None
    alerts: int = Field(description="Distinct series that ever belonged to it.")
    pages: int = Field(description="Pages sent to people.")
    noise: bool = Field(description="Recorded and never paged.")


class Entry(BaseModel):
    """One entry of a timeline; `hash` seals it and all before it."""

    seq: int = Field(ge=1)
    at: str
    actor: str
    kind: str
    text: str
    reason: str
    hash: str


class FactFound(BaseModel):
    """What enrichment found out, or why not (`failure`)."""

    text: str
    value: Any
    source: str
    as_of: str
    gathered_at: datetime
    failure: str


class ActionShown(BaseModel):
    """One action of an incident, with its whole plan."""

    id: str
    action: str
    target: str
    mode: str
    state: str
    plan_digest: str
    playbook: str
    requester: str
    approval: str = Field(description="The request for approval that it waits for, or waited for; empty without one.")
    verdict: str
    rule: str
    reason: str
    outcome: str
    text: str
    plan: dict[str, Any]


class Vote(BaseModel):
    """One decision on an approval."""

    person: str
    decision: str
    reason: str
    at: datetime
    via: str


class ApprovalShown(BaseModel):
    """One request for approval and what its plan would do, in words."""

    id: str
    incident: str
    action: str
    digest: str
    state: str
    created_at: datetime
    expires_at: datetime
    requester: str
    needed: int
    role: str
    decisions: list[Vote]
    text: str


class LabelShown(BaseModel):
    """What people said of an incident last."""

    label: Label
    by: str
    at: datetime
    reason: str


class Rate(BaseModel):
    """How often people said what of a rule's or a kind of alert's incidents."""

    of: Literal["rule", "kind"]
    name: str
    actionable: int
    false_positive: int
    false_positive_rate: float = Field(description="False positives as a share of all that were labelled.")


class Shown(Row):
    """Everything about one incident."""

    owner: str
    summary: str
    category: str
    confidence: float = Field(description="How far its alert that is believed most is believed, from 0 to 1.")
    evidence: str = Field(description="Each point of that confidence, with its reason.")
    started_at: datetime
    acknowledged_by: str
    commander: str
    reopens: str
    merged_into: str
    suppressed_by: str = Field(description="The window that suppressed its first alert; see /v1/ledger.")
    planned: bool = Field(description="It began inside planned maintenance.")
    config_digest: str
    series: list[SeriesShown] = Field(description="What fires; the first of them, where there are many.")
    timeline: list[Entry]
    facts: dict[str, FactFound]
    actions: list[ActionShown]
    approvals: list[ApprovalShown]
    label: LabelShown | None = Field(description="What people said of it, once they did.")
    postmortem: str | None = Field(description="The draft in Markdown, once there is one.")


class ApprovalAsked(ApprovalShown):
    """An approval with the plan that it is about."""

    plan: dict[str, Any]


class SwitchShown(BaseModel):
    """The kill switch."""

    on: bool
    by: str
    reason: str
    at: datetime | None


class QuarantinedDelivery(BaseModel):
    """A delivery (or a part of one) that could not be read and is kept."""

    delivery_id: str
    source: str
    at: str
    reason: str


class Export(Asked):
    """Which recorded deliveries: those that came from `since` on and before `until`; that they were had is told."""

    since: AwareDatetime
    until: AwareDatetime
    source: str = Field(default="", max_length=100, description="Of one source; of all where it is empty.")
    cursor: str = Field(default="", max_length=1000, description="Where the page before this one said to go on.")


class Recording(BaseModel):
    """A page of a recording: the lines of a file that `incidentbot replay` reads, in order of their recording."""

    lines: list[str] = Field(
        description='Each is JSON: {"at", "delivery_id", "source", "body" (or "base64")}, secrets redacted.'
    )
    cursor: str = Field(description="Where the next page begins; empty on the last one.")


class Trail(BaseModel):
    """A hash-chained timeline as it is stored, and where its subject says that it ends."""

    subject: str
    seq: int
    head: str
    entries: list[dict[str, Any]]


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    rule: str = ""

"""The rulebook: the names of all rules by which triage decides, a closed set; `docs/triage-rules.md` explains them.

A name is written beside every reason: on the timeline as `rule: reason`, like the guardrails' own.
"""

from collections.abc import Mapping
from typing import Literal, cast

RuleName = Literal[
    # what an alert is to its series
    "first-seen",
    "state-change",
    "worse-alert",
    "repeat",
    "late-alert",
    "no-data",
    "same-alert",
    "belated-firing",
    "source-insists",
    "source-resolved",
    "tombstone",
    "lost-resolve",
    "reopened",
    "after-the-end",
    # where its group belongs
    "same-service",
    "lone-warning",
    "noise-apart",
    "no-cause",
    "downstream-of-root",
    "downstream",
    "right-after",
    "cause-kind",
    "same-cause-kind",
    "shared-resource",
    "shared-change",
    "shared-dependency",
    "upstream",
    "better-root",
    "pinned",
    "action-in-flight",
    "root-moved",
    "by-hand",
    "merged",
    # how severe it is
    "severity-by-rule",
    "severity-by-source",
    "severity-by-tier",
    "severity-by-default",
    "burn-rate",
    "many-services",
    "many-in-one-place",
    "it-spreads",
    "like-its-group",
    "worst-alert",
    # how far it is believed
    "history",
    "sources",
    "tier",
    "blast-radius",
    "spread",
    "low-confidence",
    # whether it wakes somebody
    "sev1-pages",
    "sev2-pages",
    "ticket",
    "record",
    "noise",
    "silenced",
    "under-maintenance",
    "deploy-window",
    "inhibited",
    "stale-delivery",
    "unmuted",
    "lost-resolve-muted",
    "noise-no-more",
    # how long its page waits
    "transient-hold",
    "playbook-hold",
    "cause-wait",
    "agreement-wait",
    "spell",
    "critical-flap",
    "hold-over",
    "agreed",
    "remediation",
    # whom else it is told to
    "another-fault",
    "spread-limit",
    "further-service",
    "acknowledged",
    "cleared",
    "over",
    # storms
    "below-storm-rate",
    "storm-summary",
    "storm-part",
    "storm-doubled",
    "storm-worse",
    "storm-sev1",
    "storm-lasts",
    "storm-fires",
    "storm-over",
    # when it closes
    "flapping",
    "quiet-period",
    "not-clear",
    "person-resolves",
    "all-series",
]


def told(detail: Mapping[str, str], name: str) -> RuleName:
    """The rule that a mail's detail names; empty in one that was written before rules had names."""
    return cast(RuleName, detail.get(name, ""))


def grounds(rule: str, reason: str) -> str:
    """The rule's name and the reason as people read them; `rule` may name several, or be empty where none decided."""
    return f"{rule}: {reason}" if rule and reason else rule or reason

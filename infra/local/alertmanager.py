"""A stand-in for Prometheus and Alertmanager: one rule over the orders cells, and the webhook groups that come of it.

Pure. It notifies when Alertmanager would: on a new firing alert, on a resolved one, and again after `repeat_interval`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

RULE = "OrdersHighErrorRate"
EXPRESSION = 'max by (cell) (orders_error_ratio{namespace="shop"}) > 0.05'
THRESHOLD_PERCENT = 5.0
FOR_EVALUATIONS = 2
GROUP_INTERVAL = timedelta(seconds=2)
REPEAT_INTERVAL = timedelta(seconds=15)
RECEIVER = "incident-bot"
PROMETHEUS = "http://prometheus.shop.example:9090"
ALERTMANAGER = "http://alertmanager.shop.example:9093"
NOT_ENDED = "0001-01-01T00:00:00Z"
COMMON_LABELS = {
    "alertname": RULE,
    "cluster": "shop",
    "environment": "production",
    "namespace": "shop",
    "service": "orders",
    "severity": "critical",
}
RUNBOOK = "https://runbooks.shop.example/orders/high-error-rate"


@dataclass(frozen=True, slots=True)
class CellAlert:
    """The alert of one cell; it has ended when `ends_at` is set."""

    cell: str
    percent: float
    starts_at: datetime
    ends_at: datetime | None = None

    @property
    def firing(self) -> bool:
        return self.ends_at is None


@dataclass(frozen=True, slots=True)
class Group:
    """What Alertmanager remembers of the group: its alerts, and what the receiver was last told and when."""

    breaches: Mapping[str, int] = field(default_factory=dict)
    alerts: Mapping[str, CellAlert] = field(default_factory=dict)
    told_firing: frozenset[str] = frozenset()
    told_at: datetime | None = None

    @property
    def firing(self) -> frozenset[str]:
        return frozenset(cell for cell, alert in self.alerts.items() if alert.firing)


def evaluate(group: Group, error_percent: Mapping[str, float], now: datetime) -> Group:
    """One evaluation of the rule over the cells' error rates."""
    breaches: dict[str, int] = {}
    alerts = dict(group.alerts)
    for cell, percent in error_percent.items():
        breaches[cell] = group.breaches.get(cell, 0) + 1 if percent > THRESHOLD_PERCENT else 0
        known = alerts.get(cell)
        if breaches[cell] >= FOR_EVALUATIONS:
            starts_at = known.starts_at if known and known.firing else now
            alerts[cell] = CellAlert(cell, percent, starts_at)
        elif breaches[cell] == 0 and known and known.firing:
            alerts[cell] = replace(known, ends_at=now)
    return replace(group, breaches=breaches, alerts=alerts)


def due(group: Group, now: datetime) -> str | None:
    """Why the receiver must be told now, or None."""
    if group.told_at is not None and now - group.told_at < GROUP_INTERVAL:
        return None
    if group.firing - group.told_firing:
        return "new firing alerts"
    if group.told_firing - group.firing:
        return "alerts resolved"
    if group.firing and group.told_at is not None and now - group.told_at >= REPEAT_INTERVAL:
        return "repeat interval"
    return None


def delivered(group: Group, sent: Group, now: datetime) -> Group:
    """The receiver took what `sent` said: what it was told as resolved leaves the group, unless it fires again."""
    over = {cell for cell, alert in sent.alerts.items() if not alert.firing}
    alerts = {cell: alert for cell, alert in group.alerts.items() if alert.firing or cell not in over}
    return replace(group, alerts=alerts, told_firing=sent.firing, told_at=now)


def payload(group: Group) -> dict[str, Any]:
    """The webhook body, version 4, as Alertmanager builds it for this group."""
    alerts = [_alert(alert) for alert in group.alerts.values()]
    return {
        "receiver": RECEIVER,
        "status": "firing" if group.firing else "resolved",
        "alerts": alerts,
        "groupLabels": {"alertname": RULE, "service": "orders"},
        "commonLabels": _common([alert["labels"] for alert in alerts]),
        "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
        "externalURL": ALERTMANAGER,
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{RULE}", service="orders"}}',
        "truncatedAlerts": 0,
    }


def _alert(alert: CellAlert) -> dict[str, Any]:
    labels = dict(sorted((COMMON_LABELS | {"cell": alert.cell}).items()))
    return {
        "status": "firing" if alert.firing else "resolved",
        "labels": labels,
        "annotations": {
            "description": f"{alert.percent:.1f} % of requests to {alert.cell} fail (limit {THRESHOLD_PERCENT:g} %).",
            "runbook_url": RUNBOOK,
            "summary": f"High error rate on {alert.cell}",
        },
        "startsAt": _rfc3339(alert.starts_at),
        "endsAt": _rfc3339(alert.ends_at) if alert.ends_at else NOT_ENDED,
        "generatorURL": f"{PROMETHEUS}/graph?g0.expr=max+by+%28cell%29+%28orders_error_ratio%29+%3E+0.05&g0.tab=1",
        "fingerprint": fingerprint(labels),
    }


def fingerprint(labels: Mapping[str, str]) -> str:
    """Prometheus' fingerprint of a label set: FNV-1a, 64 bits, over sorted names and values, each ended by 0xff."""
    value = 0xCBF29CE484222325
    for name in sorted(labels):
        for byte in (*name.encode(), 0xFF, *labels[name].encode(), 0xFF):
            value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def _common(maps: list[dict[str, str]]) -> dict[str, str]:
    first = maps[0] if maps else {}
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in maps)}


def _rfc3339(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Azure Monitor: the common alert schema of metric, log and activity log alerts, Resource Health and Service Health.

A webhook of an action group can neither sign nor send a header of ours, it has its URI alone: so the secret is the
password in it (https://azure:<secret>@...), or a parameter of it (...?token=<secret>). The token of Entra ID that a
"secure webhook" sends is not read, as no key of ours is in it. Alerts of the activity log never resolve, but health
does, by the status inside; all others of them end once they were quiet for a day. A rule of Managed Prometheus fires
once for each series that its expression finds, and what tells those apart is in the labels of the alert's context.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from incident_bot.authentication import AnyOf, BearerOrBasic, QueryToken
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import links, mapping, moment, prose, shown, text
from incident_bot.sources import ONLY_CHANGES_SECONDS, Example, Parsed, Source
from incident_bot.sources._fields import first, labelled
from incident_bot.sources._tags import names_of

SCHEMA = "azureMonitorCommonAlertSchema"
CONDITIONS = {"fired": Status.FIRING, "resolved": Status.RESOLVED}
SEVERITIES = {
    "Sev0": Severity.SEV1,
    "Sev1": Severity.SEV2,
    "Sev2": Severity.SEV3,
    "Sev3": Severity.SEV4,
    "Sev4": Severity.SEV5,
}
TEST = ("test-", "Alert rule description")  # how the rule of an action group's test is named, and described
CUSTOM = 20  # properties of a rule's own that become labels
DIMENSIONS = 20
SERIES_LABELS = 64  # of a Prometheus series: as many as its name may have


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one alert of a notification; Unparseable where it is not of the common schema."""
    if body.get("schemaId") != SCHEMA:
        raise Unparseable(f"schemaId is not {SCHEMA}: enable the common alert schema", field="schemaId")
    data = mapping(body, "data", required=True)
    essentials, context = mapping(data, "essentials", required=True), mapping(data, "alertContext")
    properties = _object(context, "properties")
    rule = text(essentials, "alertRule", required=True)
    targets, logged = names_of(essentials.get("alertTargetIDs")), _logged(essentials)
    status = _status(essentials, context, properties)
    test = rule.startswith(TEST[0]) and prose(essentials, "description") == TEST[1]
    fired_at = moment(essentials, "firedDateTime", received_at) or received_at
    return Parsed(
        (
            Alert(
                source="azure_monitor",
                title=f"Test of an action group: {rule}" if test else prose(properties, "title") or rule,
                status=status,
                identity=_identity(rule, targets, context, properties),
                occurred_at=_occurred_at(essentials, context, status, fired_at, received_at),
                started_at=fired_at,
                severity=Severity.SEV5 if test else None if logged else SEVERITIES.get(text(essentials, "severity")),
                service=prose(mapping(data, "customProperties"), "service")
                or prose(_object(context, "labels"), "service"),
                resource=targets[0] if targets else "",
                summary=_summary(essentials, context, properties),
                labels=_labels(essentials, mapping(data, "customProperties"), context, properties, test=test),
                links=links(
                    {
                        "source": prose(essentials, "investigationLink"),
                        "results": prose(_criterion(context), "linkToFilteredSearchResultsUI")
                        or prose(context, "LinkToFilteredSearchResultsUI"),
                        "runbook": prose(_object(context, "annotations"), "runbook_url"),
                    }
                ),
            ),
        )
    )


def _status(essentials: Mapping[str, Any], context: Mapping[str, Any], properties: Mapping[str, Any]) -> Status:
    """As the condition says; health, which always says fired, as the status inside says."""
    word = text(essentials, "monitorCondition", required=True)
    if word.lower() not in CONDITIONS:
        raise Unparseable(f"monitorCondition is neither Fired nor Resolved: {shown(word)!r}", field="monitorCondition")
    well = prose(properties, "currentHealthStatus") == "Available"
    over = "Resolved" in (prose(context, "status"), prose(properties, "stage"))
    return Status.RESOLVED if _logged(essentials) and (well or over) else CONDITIONS[word.lower()]


def _logged(essentials: Mapping[str, Any]) -> bool:
    """Whether it is an activity log alert, whose severity is always the same and says nothing."""
    return prose(essentials, "signalType").replace(" ", "") == "ActivityLog"


def _occurred_at(
    essentials: Mapping[str, Any], context: Mapping[str, Any], status: Status, fired_at: datetime, received_at: datetime
) -> datetime:
    if _logged(essentials):
        return max(moment(context, "eventTimestamp", received_at) or fired_at, fired_at)
    if status is Status.FIRING:
        return fired_at
    return max(moment(essentials, "resolvedDateTime", received_at) or received_at, fired_at)


def _identity(
    rule: str, targets: tuple[str, ...], context: Mapping[str, Any], properties: Mapping[str, Any]
) -> dict[str, str]:
    """The rule, what it looks at and the dimensions that it splits by: an alert's own id is new each time it fires."""
    if tracking := prose(properties, "trackingId"):
        return {"trackingId": tracking}
    split = sorted(f"{name}={value}" for name, value in _dimensions(context))
    return {"rule": rule, "targets": ",".join(sorted(t.lower() for t in targets)), "dimensions": ",".join(split)}


def _object(context: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under that name; the context of every kind of alert is another one, so anything else is none."""
    found = context.get(name)
    return found if isinstance(found, Mapping) else {}


def _summary(essentials: Mapping[str, Any], context: Mapping[str, Any], properties: Mapping[str, Any]) -> str:
    """What the rule's annotations say of this series, or else what the rule is described as."""
    annotations = _object(context, "annotations")
    told = prose(annotations, "summary") or prose(annotations, "description")
    return told or prose(essentials, "description") or prose(properties, "communication")


def _criterion(context: Mapping[str, Any]) -> Mapping[str, Any]:
    condition = context.get("condition")
    return first(condition, "allOf") if isinstance(condition, Mapping) else {}


def _dimensions(context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What tells the series of one rule apart: dimensions, which older log search alerts have beside the condition, or
    the labels of a Prometheus alert."""
    for label, value in sorted(_object(context, "labels").items())[:SERIES_LABELS]:
        yield label[:100], prose({"value": value}, "value")
    found = _criterion(context).get("dimensions") or context.get("Dimensions")
    for dimension in found[:DIMENSIONS] if isinstance(found, list) else ():
        if isinstance(dimension, Mapping) and prose(dimension, "name"):
            yield prose(dimension, "name")[:100], prose(dimension, "value")


def _labels(
    essentials: Mapping[str, Any],
    custom: Mapping[str, Any],
    context: Mapping[str, Any],
    properties: Mapping[str, Any],
    *,
    test: bool,
) -> dict[str, str]:
    dimensions = {f"dimension.{name}": value for name, value in _dimensions(context)}
    own = {f"custom.{name[:100]}": value for name, value in list(custom.items())[:CUSTOM]}
    return labelled(
        rule=prose(essentials, "alertRule"),
        signal=prose(essentials, "signalType"),
        monitoring_service=prose(essentials, "monitoringService"),
        metric=prose(_criterion(context), "metricName"),
        operation=prose(context, "operationName"),
        incident_type=prose(properties, "incidentType"),
        azure_service=prose(properties, "service"),
        region=prose(properties, "region"),
        test="true" if test else None,
        **dimensions,
        **own,
    )


_VM = "/subscriptions/0f1e/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/orders-1"
_CONTEXT: Mapping[str, Any] = {
    "properties": None,
    "conditionType": "SingleResourceMultipleMetricCriteria",
    "condition": {
        "windowSize": "PT5M",
        "allOf": [
            {
                "metricName": "Percentage CPU",
                "metricNamespace": "Microsoft.Compute/virtualMachines",
                "operator": "GreaterThan",
                "threshold": "90",
                "timeAggregation": "Average",
                "dimensions": [{"name": "core", "value": "3"}],
                "metricValue": 97.5,
            }
        ],
    },
}


def _payload(
    context: Mapping[str, Any] = _CONTEXT, custom: Mapping[str, Any] | None = None, **essentials: Any
) -> Mapping[str, Any]:
    said = {
        "alertId": "/subscriptions/0f1e/providers/Microsoft.AlertsManagement/alerts/9a1c",
        "alertRule": "orders CPU",
        "severity": "Sev1",
        "signalType": "Metric",
        "monitorCondition": "Fired",
        "monitoringService": "Platform",
        "alertTargetIDs": [_VM],
        "configurationItems": ["orders-1"],
        "originAlertId": "0f1e_shop_metricAlerts_orders_-117",
        "firedDateTime": "2026-01-15T10:00:24.3713213Z",
        "description": "CPU of the order workers",
        "essentialsVersion": "1.0",
        "alertContextVersion": "1.0",
    }
    data = {"essentials": {**said, **essentials}, "alertContext": context, "customProperties": custom}
    return {"schemaId": SCHEMA, "data": data}


def _health(**properties: Any) -> Mapping[str, Any]:
    context = {"eventTimestamp": "2026-01-15T10:04:00Z", "status": "Active", "properties": properties}
    return _payload(
        context, signalType="Activity Log", severity="Sev4", monitoringService="ServiceHealth", alertTargetIDs=["/s"]
    )


_TRACKED = {"title": "Storage degraded", "trackingId": "VK1-2B8", "service": "Storage", "incidentType": "Incident"}
_IDENTITY = {"rule": "orders CPU", "targets": _VM.lower(), "dimensions": "core=3"}

SOURCE = Source(
    name="azure_monitor",
    reference="https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/alerts-common-schema",
    parse=parse,
    labels=(
        *("rule", "signal", "monitoring_service", "metric", "operation", "incident_type", "azure_service", "region"),
        *("test", "dimension.*", "custom.*"),
    ),
    authentication=AnyOf(BearerOrBasic(), QueryToken("token")),
    repeats_within_seconds=ONLY_CHANGES_SECONDS,
    examples=(
        Example(
            "a metric crosses its threshold",
            _payload(custom={"service": "orders", "tier": 1}),
            (
                {
                    "title": "orders CPU",
                    "status": "firing",
                    "severity": 2,
                    "service": "orders",
                    "resource": _VM,
                    "identity": _IDENTITY,
                    "occurred_at": "2026-01-15T10:00:24.371321Z",
                    "labels": {"metric": "Percentage CPU", "dimension.core": "3", "custom.tier": "1"},
                },
            ),
        ),
        Example(
            "it resolves",
            _payload(
                monitorCondition="Resolved",
                resolvedDateTime="2026-01-15T10:04:16Z",
                alertTargetIDs=[_VM.lower()],
            ),
            ({"status": "resolved", "identity": _IDENTITY, "occurred_at": "2026-01-15T10:04:16.000000Z"},),
        ),
        Example(
            "a log search finds something, with no dimensions and no target",
            _payload({"conditionType": "LogQueryCriteria", "condition": None}, signalType="Log", alertTargetIDs=None),
            ({"status": "firing", "resource": "", "identity": {"rule": "orders CPU", "targets": ""}},),
        ),
        Example(
            "an older log search alert, whose dimensions are elsewhere",
            _payload(
                {"ResultCount": 2, "Dimensions": [{"name": "Computer", "value": "orders-1"}]},
                signalType="Log",
                monitoringService="Log Analytics",
            ),
            ({"identity": {"dimensions": "Computer=orders-1"}, "labels": {"dimension.Computer": "orders-1"}},),
        ),
        Example(
            "a Prometheus rule finds a pod",
            _payload(
                {
                    "interval": "PT1M",
                    "expression": 'kube_pod_status_ready{condition="false"} > 0',
                    "expressionValue": "1",
                    "for": "PT5M",
                    "labels": {"alertname": "PodNotReady", "service": "orders", "pod": "orders-7d9f"},
                    "annotations": {"summary": "orders-7d9f is not ready"},
                    "ruleGroup": "/subscriptions/0f1e/prometheusRuleGroups/pods",
                },
                alertRule="pods/PodNotReady",
                monitoringService="Prometheus",
            ),
            (
                {
                    "service": "orders",
                    "identity": {"dimensions": "alertname=PodNotReady,pod=orders-7d9f,service=orders"},
                    "summary": "orders-7d9f is not ready",
                    "labels": {"dimension.pod": "orders-7d9f"},
                },
            ),
        ),
        Example(
            "Azure itself is ill",
            _health(**_TRACKED, stage="Active"),
            (
                {
                    "title": "Storage degraded",
                    "status": "firing",
                    "severity": None,
                    "identity": {"trackingId": "VK1-2B8"},
                    "labels": {"azure_service": "Storage", "incident_type": "Incident"},
                },
            ),
        ),
        Example(
            "and well again, which it calls fired",
            _health(**_TRACKED, stage="Resolved"),
            ({"status": "resolved", "identity": {"trackingId": "VK1-2B8"}},),
        ),
        Example(
            "a resource is available again",
            _health(currentHealthStatus="Available", previousHealthStatus="Unavailable"),
            ({"status": "resolved", "occurred_at": "2026-01-15T10:04:00.000000Z"},),
        ),
        Example(
            "the test of an action group",
            _payload(alertRule="test-metricAlertRule", description="Alert rule description", severity="Sev0"),
            ({"title": "Test of an action group: test-metricAlertRule", "severity": 5, "labels": {"test": "true"}},),
        ),
    ),
)

"""Google Cloud Monitoring: its webhook notification channel, version 1.2; an incident opens and closes.

The channel cannot sign. It offers basic authentication, whose password is the secret (any user name), and that is what
to choose; its other kind, with a token in the URL, is not needed and not taken.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from incident_bot.authentication import BearerOrBasic
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import kind, links, mapping, plausible, prose, severity, shown, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._fields import labelled

STATES = {"open": Status.FIRING, "closed": Status.RESOLVED}
VERSIONS = ("1.2", "test")
NAMED = ("service", "service_name", "function_name", "module_id", "container_name")
OWN = ("service", "app.kubernetes.io/name", "app", "k8s-app")
LABELS = 20


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one incident of a notification; Unparseable where it is not of version 1.2."""
    version = text(body, "version")
    if version not in VERSIONS:
        raise Unparseable(f"version is not 1.2: {shown(version)!r}", field="version")
    incident, test = mapping(body, "incident", required=True), version == "test"
    word = text(incident, "state", required=True)
    if word.lower() not in STATES:
        raise Unparseable(f"incident.state is neither open nor closed: {shown(word)!r}", field="incident.state")
    status = STATES[word.lower()]
    started_at = received_at if test else _at(incident, "started_at", received_at) or received_at
    ended_at = None if test else _at(incident, "ended_at", received_at)
    policy, condition = prose(incident, "policy_name"), prose(incident, "condition_name")
    title = policy or condition or "An alerting policy without a name"
    alert = Alert(
        source="google_cloud_monitoring",
        title="Test of a notification channel" if test else title,
        status=status,
        identity=_identity(incident),
        occurred_at=started_at if status is Status.FIRING else max(ended_at or received_at, started_at),
        started_at=started_at,
        severity=Severity.SEV5 if test else severity(prose(incident, "severity")),
        service=_service(incident),
        resource=prose(incident, "resource_display_name") or prose(incident, "resource_name"),
        summary=prose(incident, "summary"),
        labels=_labels(incident, policy, condition, test=test),
        links=links({"source": prose(incident, "url"), "runbook": _runbook(incident)}),
    )
    return Parsed((alert,))


def _at(incident: Mapping[str, Any], name: str, received_at: datetime) -> datetime | None:
    """Seconds since 1970; nothing where it is null or zero."""
    found = incident.get(name)
    if not found:
        return None
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise Unparseable(f"incident.{name} is {kind(found)}, expected seconds", field=f"incident.{name}")
    try:
        at = datetime.fromtimestamp(found, UTC)
    except (ValueError, OverflowError, OSError):
        raise Unparseable(f"incident.{name} is no time in seconds", field=f"incident.{name}") from None
    return plausible(at, f"incident.{name}", received_at)


def _identity(incident: Mapping[str, Any]) -> dict[str, str]:
    """The condition and the time series that it found: an incident's own id is new each time."""
    named = prose(mapping(incident, "condition"), "name")
    condition = named or f"{prose(incident, 'policy_name')}/{prose(incident, 'condition_name')}"
    series = {**_labels_of(incident, "resource"), **_labels_of(incident, "metric")}
    return labelled(
        project=prose(incident, "scoping_project_id"),
        condition=condition,
        resource=prose(incident, "resource_name") if not series else None,
        **series,
    )


def _labels_of(incident: Mapping[str, Any], name: str) -> dict[str, str]:
    """The labels of the incident's `resource` or `metric`, under `resource.` or `metric.`."""
    return _prefixed(mapping(incident, name).get("labels"), name)


def _prefixed(found: object, name: str) -> dict[str, str]:
    pairs = list(found.items())[:LABELS] if isinstance(found, Mapping) else []
    return labelled(**{f"{name}.{key[:100]}": value for key, value in pairs})


def _service(incident: Mapping[str, Any]) -> str:
    """What the policy's own labels name, those of the machine or the pod that was looked at, or the resource's."""
    metadata = mapping(incident, "metadata")
    for found, names in (
        (incident.get("policy_user_labels"), NAMED),
        (metadata.get("user_labels"), OWN),
        (mapping(incident, "resource").get("labels"), NAMED),
        (metadata.get("system_labels"), ("top_level_controller_name",)),
        (mapping(incident, "resource").get("labels"), ("namespace_name",)),
    ):
        if isinstance(found, Mapping) and (service := next((prose(found, n) for n in names if prose(found, n)), "")):
            return service
    return ""


def _labels(incident: Mapping[str, Any], policy: str, condition: str, *, test: bool) -> dict[str, str]:
    own = incident.get("policy_user_labels")
    pairs = list(own.items())[:LABELS] if isinstance(own, Mapping) else []
    return labelled(
        policy=policy,
        condition=condition,
        project=prose(incident, "scoping_project_id"),
        resource_type=prose(mapping(incident, "resource"), "type"),
        metric=prose(mapping(incident, "metric"), "type"),
        test="true" if test else None,
        **{f"policy.{key[:100]}": value for key, value in pairs},
        **_labels_of(incident, "resource"),
        **_labels_of(incident, "metric"),
        **_prefixed(mapping(incident, "metadata").get("user_labels"), "user"),
    )


def _runbook(incident: Mapping[str, Any]) -> str:
    documentation = incident.get("documentation")
    found = documentation.get("links") if isinstance(documentation, Mapping) else None
    first = found[0] if isinstance(found, list) and found else None
    return prose(first, "url") if isinstance(first, Mapping) else ""


_OPEN: Mapping[str, Any] = {
    "incident_id": "0.n7x1p9",
    "scoping_project_id": "shop-production",
    "scoping_project_number": 123456789012,
    "url": "https://console.cloud.google.com/monitoring/alerting/incidents/0.n7x1p9?project=shop-production",
    "started_at": 1768471203,
    "ended_at": None,
    "state": "open",
    "severity": "Critical",
    "summary": "CPU utilization of orders is above the threshold of 0.9 with a value of 0.97.",
    "observed_value": "0.97",
    "threshold_value": "0.9",
    "resource": {"type": "cloud_run_revision", "labels": {"service_name": "orders", "location": "europe-west3"}},
    "resource_type_display_name": "Cloud Run Revision",
    "resource_id": "",
    "resource_display_name": "orders",
    "resource_name": "shop-production orders",
    "metric": {"type": "run.googleapis.com/container/cpu/utilizations", "displayName": "CPU", "labels": {}},
    "metadata": {"system_labels": {}, "user_labels": {}},
    "policy_name": "Orders are short of CPU",
    "policy_user_labels": {"team": "fulfilment"},
    "documentation": {
        "content": "See the runbook.",
        "mime_type": "text/markdown",
        "subject": "CPU",
        "links": [{"displayName": "Runbook", "url": "https://runbooks.example.com/cpu"}],
    },
    "condition": {"name": "projects/shop-production/alertPolicies/44/conditions/45", "displayName": "CPU"},
    "condition_name": "CPU above 90 %",
}
_CLOSED: Mapping[str, Any] = {**_OPEN, "incident_id": "0.n7x1p9", "state": "closed", "ended_at": 1768471443}
_IDENTITY = {
    "project": "shop-production",
    "condition": "projects/shop-production/alertPolicies/44/conditions/45",
    "resource.service_name": "orders",
    "resource.location": "europe-west3",
}

SOURCE = Source(
    name="google_cloud_monitoring",
    reference="https://docs.cloud.google.com/monitoring/support/notification-options#webhooks",
    parse=parse,
    labels=(
        "policy",
        "condition",
        "project",
        "resource_type",
        "test",
        "metric",
        "policy.*",
        "resource.*",
        "metric.*",
        "user.*",
    ),
    authentication=BearerOrBasic(),
    repeats_within_seconds=7 * 24 * 3600,  # an incident without news is closed by Google after a week at most
    examples=(
        Example(
            "an incident opens",
            {"incident": _OPEN, "version": "1.2"},
            (
                {
                    "title": "Orders are short of CPU",
                    "status": "firing",
                    "severity": 1,
                    "service": "orders",
                    "resource": "orders",
                    "identity": _IDENTITY,
                    "occurred_at": "2026-01-15T10:00:03.000000Z",
                    "labels": {"policy.team": "fulfilment", "resource_type": "cloud_run_revision"},
                    "links": {"runbook": "https://runbooks.example.com/cpu"},
                },
            ),
        ),
        Example(
            "it closes",
            {"incident": _CLOSED, "version": "1.2"},
            ({"status": "resolved", "identity": _IDENTITY, "occurred_at": "2026-01-15T10:04:03.000000Z"},),
        ),
        Example(
            "a container of a pod, whose labels name its service",
            {
                "incident": {
                    **_OPEN,
                    "resource": {
                        "type": "k8s_container",
                        "labels": {"namespace_name": "shop", "container_name": "main", "pod_name": "orders-7d9f"},
                    },
                    "metadata": {
                        "system_labels": {"top_level_controller_name": "orders-api"},
                        "user_labels": {"service": "orders", "team": "fulfilment"},
                    },
                },
                "version": "1.2",
            },
            ({"service": "orders", "labels": {"user.team": "fulfilment", "resource.pod_name": "orders-7d9f"}},),
        ),
        Example(
            "an older one, without severity, labels and condition",
            {
                "incident": {
                    "incident_id": "0.lj2v",
                    "resource_name": "web-1",
                    "started_at": 1768471203,
                    "policy_name": "Uptime",
                    "condition_name": "Uptime of web-1",
                    "state": "open",
                    "severity": "No severity",
                    "summary": "web-1 does not answer",
                },
                "version": "1.2",
            },
            (
                {
                    "title": "Uptime",
                    "severity": None,
                    "resource": "web-1",
                    "identity": {"condition": "Uptime/Uptime of web-1", "resource": "web-1"},
                },
            ),
        ),
        Example(
            "the test of a channel",
            {"incident": {"incident_id": "12345", "started_at": 0, "ended_at": 0, "state": "OPEN"}, "version": "test"},
            ({"title": "Test of a notification channel", "status": "firing", "severity": 5},),
        ),
    ),
)

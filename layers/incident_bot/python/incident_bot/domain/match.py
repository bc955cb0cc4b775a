"""Matchers: patterns with `*` over the named fields of an alert, the same for rules, playbooks and silences."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from incident_bot.domain.alert import Alert


def matches(when: Mapping[str, str], fields: Mapping[str, str]) -> bool:
    """Whether every matcher's pattern fits its field; a missing field fits nothing, no matcher fits everything."""
    return all(name in fields and fnmatchcase(fields[name], pattern) for name, pattern in when.items())


def fields_of(alert: Alert, service: str) -> dict[str, str]:
    """What matchers may name: source, service, title, status, resource, severity and `labels.NAME`."""
    return {
        "source": alert.source,
        "service": service,
        "title": alert.title,
        "status": alert.status.value,
        "resource": alert.resource,
        "severity": alert.severity.label if alert.severity else "",
        **{f"labels.{name}": value for name, value in alert.labels.items()},
    }

"""Falco: what its `http_output` posts as JSON, and Falcosidekick's webhook, which passes the same on.

Falco can neither sign nor send a header of ours: the secret is the password in its URL (https://falco:<secret>@...).
Falcosidekick sends it as a custom header (`Authorization: Bearer <secret>`). Falco tells what happened, never that it
is over: such an incident ends by a person, or once the rule was quiet for `stale_after`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.authentication import BearerOrBasic
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import mapping, moment, prose, shown, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._fields import labelled
from incident_bot.sources._tags import names_of

PRIORITIES = {
    **dict.fromkeys(("emergency", "alert", "critical"), Severity.SEV1),
    "error": Severity.SEV2,
    "warning": Severity.SEV3,
    "notice": Severity.SEV4,
    **dict.fromkeys(("informational", "info", "debug"), Severity.SEV5),
}
WHERE = ("k8s.ns.name", "k8s.pod.name", "container.name", "ka.target.namespace", "ka.target.name")
FIELDS = 40
TEST = "Test rule"  # what Falcosidekick's /test sends


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one event: of the rule, where it was broken."""
    rule = text(body, "rule", required=True)
    word = text(body, "priority", required=True)
    if word.lower() not in PRIORITIES:
        raise Unparseable(f"priority is none of Falco's: {shown(word)!r}", field="priority")
    fields = labelled(**dict(list(mapping(body, "output_fields").items())[:FIELDS]))
    at = moment(body, "time", received_at) or received_at
    test = rule == TEST
    host = prose(body, "hostname")
    alert = Alert(
        source="falco",
        title="Test of Falcosidekick" if test else rule,
        status=Status.FIRING,
        identity=labelled(rule=rule, hostname=host, **{name: fields.get(name) for name in WHERE}),
        occurred_at=at,
        started_at=at,
        severity=Severity.SEV5 if test else PRIORITIES[word.lower()],
        service=fields.get("service") or fields.get("k8s.deployment.name") or fields.get("container.name", ""),
        resource=fields.get("k8s.pod.name") or host,
        summary=prose(body, "output"),
        labels={name[:100]: value for name, value in fields.items()}
        | labelled(
            rule=rule,
            hostname=host,
            event_source=prose(body, "source"),
            tags=",".join(names_of(body.get("tags"))),
            test="true" if test else None,
        ),
    )
    return Parsed((alert,))


_SHELL: Mapping[str, Any] = {
    "uuid": "5f2a6f0e-7d1c-4b0e-9a3f-2c8d1e5b7a90",
    "output": "10:00:03.123456789: Notice A shell was spawned in a container (user=root container=checkout)",
    "priority": "Critical",
    "rule": "Terminal shell in container",
    "source": "syscall",
    "time": "2026-01-15T10:00:03.123456789Z",
    "hostname": "node-7",
    "tags": ["container", "shell", "mitre_execution"],
    "output_fields": {
        "container.id": "3f1a9b7c2d4e",
        "container.name": "checkout",
        "evt.time": 1768471203123456789,
        "k8s.ns.name": "shop",
        "k8s.pod.name": "checkout-5d9c7-x2x4v",
        "proc.cmdline": "bash",
        "proc.tty": 34816,
        "user.name": "root",
    },
}

SOURCE = Source(
    name="falco",
    reference="https://falco.org/docs/concepts/outputs/channels/#http-https-output",
    parse=parse,
    labels=("*",),
    authentication=BearerOrBasic(),
    resolves=False,
    media_types=("application/json", "text/plain"),  # Falco names the former only where `json_output` is on
    examples=(
        Example(
            "a shell in a container",
            _SHELL,
            (
                {
                    "title": "Terminal shell in container",
                    "status": "firing",
                    "severity": 1,
                    "service": "checkout",
                    "resource": "checkout-5d9c7-x2x4v",
                    "identity": {
                        "rule": "Terminal shell in container",
                        "hostname": "node-7",
                        "k8s.ns.name": "shop",
                        "k8s.pod.name": "checkout-5d9c7-x2x4v",
                        "container.name": "checkout",
                    },
                    "occurred_at": "2026-01-15T10:00:03.123456Z",
                    "labels": {"user.name": "root", "proc.tty": "34816", "tags": "container,shell,mitre_execution"},
                },
            ),
        ),
        Example(
            "on a host, from an older Falco that says little",
            {
                "output": "Error File below a known binary directory opened for writing",
                "priority": "Error",
                "rule": "Write below binary dir",
                "time": "2026-01-15T10:00:03Z",
                "output_fields": {"user.name": "root", "fd.name": "/bin/hack", "proc.pname": None},
            },
            ({"severity": 2, "service": "", "identity": {"rule": "Write below binary dir"}},),
        ),
        Example(
            "Falcosidekick's test",
            {
                "uuid": "1",
                "output": "This is a test from falcosidekick",
                "priority": "Critical",
                "rule": "Test rule",
                "time": "2026-01-15T10:00:03Z",
                "hostname": "falcosidekick",
                "source": "internal",
                "tags": ["test", "example"],
                "output_fields": {"proc.name": "falcosidekick"},
            },
            ({"title": "Test of Falcosidekick", "severity": 5, "labels": {"test": "true"}},),
        ),
    ),
)

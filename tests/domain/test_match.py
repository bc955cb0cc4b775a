"""Do matchers fit exactly what they name, and nothing by accident?"""

import pytest

from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.match import fields_of, matches
from tests.building import an_alert

FIELDS = {"title": "checkout errors", "labels.env": "prod", "empty": ""}

ROWS = [
    ("no matcher fits everything", {}, True),
    ("the whole text has to fit", {"title": "checkout"}, False),
    ("a star stands for anything", {"title": "checkout*"}, True),
    ("a star stands for nothing too", {"title": "checkout errors*"}, True),
    ("case counts", {"title": "Checkout*"}, False),
    ("all matchers have to fit", {"title": "checkout*", "labels.env": "test"}, False),
    ("a missing field fits nothing, not even a star", {"labels.zone": "*"}, False),
    ("an empty field fits a star", {"empty": "*"}, True),
    ("an empty field fits nothing else", {"empty": "?*"}, False),
]


@pytest.mark.parametrize(("when", "fits"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_matching(when: dict[str, str], fits: bool) -> None:
    assert matches(when, FIELDS) is fits


def test_every_field_of_an_alert_can_be_named() -> None:
    alert = an_alert(
        resource="arn:x", severity=Severity.SEV1, status=Status.RESOLVED, labels={"env": "prod", "a.b": "1"}
    )
    assert fields_of(alert, "orders") == {
        "source": "generic",
        "service": "orders",  # the configured one, not what the alert hints at
        "title": "checkout error rate high",
        "status": "resolved",
        "resource": "arn:x",
        "severity": "sev1",
        "labels.env": "prod",
        "labels.a.b": "1",
    }
    assert not fields_of(an_alert(severity=None), "orders")["severity"]

"""Does the example configuration wake somebody for what is attacked or open to the world, and for nothing milder?"""

from pathlib import Path

import pytest

from incident_bot.configuration import load
from incident_bot.domain.classify import classify
from incident_bot.domain.clock import instant
from incident_bot.plugins import source
from incident_bot.sources import read

TEAM = load(Path(__file__).parents[2] / "config")


@pytest.mark.parametrize(
    ("name", "example", "severity", "wakes", "noise"),
    [
        ("guardduty", "an instance mines coins", "sev2", True, False),
        ("guardduty", "a sample somebody generated", "sev5", False, True),
        ("security_hub", "a threat that GuardDuty tells too, in OCSF", "sev1", True, False),
        ("inspector", "a function has a vulnerability that is being exploited", "sev2", True, False),
        ("inspector", "a port of an instance is open, told with the older spelling of times", "sev4", False, False),
        ("health", "a member's key was exposed", "sev1", True, False),
        ("access_analyzer", "a bucket became public", "sev2", True, False),
        ("access_analyzer", "access from inside to what is critical, with times of nanoseconds", "sev3", False, False),
        ("access_analyzer", "a role is not used", "sev5", False, True),
    ],
)
def test_a_finding_is_a_matter_of_security_and_pages_by_its_severity(
    name: str, example: str, severity: str, wakes: bool, noise: bool
) -> None:
    told = next(one for one in source(name).examples if one.name == example)
    (alert,) = read(source(name), told.body, instant(told.received_at)).alerts

    found = classify(alert, TEAM)

    assert (found.category, found.severity.label, found.pages, found.noise) == ("security", severity, wakes, noise)

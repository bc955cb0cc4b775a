"""Every mistake in a window of rules.yaml is told with its file, line and field."""

import shutil
from pathlib import Path

import pytest

from incident_bot.configuration import Problem, diagnose, load
from tests.configuration.test_mistakes import INSTALLED, TEAM

DOCUMENT = Path(__file__).parents[2] / "docs" / "suppression.md"
RECURRING = """
recurring_maintenance:
  - name: db-patching
    owner: platform
    review_by: 2027-05-01
    when: { service: search }
    timezone: Europe/Paris
    at: "22:00"
    minutes: 120
    weekdays: [tuesday]
    weeks: [2]
"""


def added(folder: Path, text: str) -> list[Problem]:
    """The problems of the example team with that text in its rules."""
    shutil.copytree(TEAM, folder, dirs_exist_ok=True)
    rules = folder / "rules.yaml"
    rules.write_text(rules.read_text() + text)
    return diagnose(folder, INSTALLED)


def test_a_recurring_window_is_read(tmp_path: Path) -> None:
    assert added(tmp_path, RECURRING) == []
    (found,) = load(tmp_path, INSTALLED).recurring_maintenance
    assert (found.name, found.at.hour, found.weekdays, found.weeks) == ("db-patching", 22, ("tuesday",), (2,))


INHIBITIONS = """
inhibitions:
  - name: node-down
    owner: platform
    review_by: 2027-05-01
    source: { title: "NodeDown*" }
    target: { service: search, severity: "sev[345]" }
    equal: [labels.node]
"""


def test_an_inhibition_is_read(tmp_path: Path) -> None:
    assert added(tmp_path, INHIBITIONS) == []
    (found,) = load(tmp_path, INSTALLED).inhibitions
    assert (found.source, found.equal, found.minutes) == ({"title": "NodeDown*"}, ("labels.node",), 360)


# what is replaced, by what, the field blamed, a part of the reason, the nearest name offered
MISTAKES = {
    "owner": ("owner: platform", "owner: platfrom", "owner", "no group 'platfrom'", "platform"),
    "what it fits": ("service: search", "service: serch", "when.service", "no service 'serch'", "search"),
    "nothing that it fits": ("{ service: search }", "{}", "when", "fits nothing without a matcher", ""),
    "time zone": ("Europe/Paris", "Europe/Pariss", "timezone", "no time zone", "Europe/Paris"),
    "a time that is none": ('"22:00"', '"25:00"', "at", "hour value is outside", ""),
    "a time with an offset": ('"22:00"', '"22:00+01:00"', "at", "is local time", ""),
    "too long": ("minutes: 120", "minutes: 10081", "minutes", "between 1 and 10080 (7 days)", ""),
    "no length": ("minutes: 120", "minutes: 0", "minutes", "between 1 and 10080", ""),
    "a day that is none": ("[tuesday]", "[tusday]", "weekdays[0]", "no weekday 'tusday'", "tuesday"),
    "a week that is none": ("weeks: [2]", "weeks: [6]", "weeks[0]", "1 to 5, or -1", ""),
    "a day of the month that is none": (
        "    weekdays: [tuesday]\n    weeks: [2]\n",
        "    days: [0]\n",
        "days[0]",
        "1 to 31",
        "",
    ),
    "both kinds of days": ("weeks: [2]", "days: [1]", "", "either `weekdays` or `days`", ""),
    "no days at all": ("    weekdays: [tuesday]\n    weeks: [2]\n", "", "", "either `weekdays` or `days`", ""),
    "a field that there is not": ("weeks: [2]", "week: [2]", "week", "no such field", "weeks"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_named(name: str, tmp_path: Path) -> None:
    old, new, field, reason, nearest = MISTAKES[name]
    assert old in RECURRING
    problems = added(tmp_path, RECURRING.replace(old, new))
    path = "recurring_maintenance[0]" + (f".{field}" if field else "")
    (told,) = [p for p in problems if p.field == path and reason in p.reason]
    assert told.file.endswith("rules.yaml")
    assert told.line > len((TEAM / "rules.yaml").read_text().splitlines())
    assert not nearest or told.nearest == nearest


WRONG_INHIBITIONS = {
    "owner": ("owner: platform", "owner: nobody", "owner", "no group 'nobody'"),
    "a source that fits nothing": ('{ title: "NodeDown*" }', "{}", "source", "fits nothing"),
    "a target that fits nothing": ('{ service: search, severity: "sev[345]" }', "{}", "target", "fits nothing"),
    "a target of another service": ("service: search", "service: serch", "target.service", "no service 'serch'"),
    "an equal field that no alert has": ("labels.node]", "node]", "equal[0]", "which no alert has"),
    "for ever": ("equal: [labels.node]", "minutes: 100000", "minutes", "between 1 and 1440"),
}


@pytest.mark.parametrize("name", WRONG_INHIBITIONS)
def test_each_mistake_in_an_inhibition_is_named(name: str, tmp_path: Path) -> None:
    old, new, field, reason = WRONG_INHIBITIONS[name]
    assert old in INHIBITIONS
    problems = added(tmp_path, INHIBITIONS.replace(old, new))
    assert [p.field for p in problems if reason in p.reason] == [f"inhibitions[0].{field}"]


DEPLOY_WINDOWS = """
deploy_windows:
  - name: tickets
    owner: platform
    review_by: 2027-05-01
    when: { severity: "sev[345]" }
    minutes: 30
    settle_minutes: 5
"""
WRONG_DEPLOY_WINDOWS = {
    "owner": ("owner: platform", "owner: nobody", "owner", "no group 'nobody'"),
    "it fits nothing": ('{ severity: "sev[345]" }', "{}", "when", "fits nothing"),
    "a severity that is none": ("sev[345]", "sev9", "when.severity", "no severity 'sev9'"),
    "too long": ("minutes: 30", "minutes: 241", "minutes", "between 1 and 240"),
    "it settles too long": ("settle_minutes: 5", "settle_minutes: 241", "settle_minutes", "between 0 and 240"),
    "a chain too long": (
        "minutes: 30",
        "minutes: 30\n    chained_minutes: 1441",
        "chained_minutes",
        "between 1 and 1440",
    ),
}


def test_a_deploy_window_is_read(tmp_path: Path) -> None:
    assert added(tmp_path, DEPLOY_WINDOWS) == []
    (found,) = load(tmp_path, INSTALLED).deploy_windows
    assert (found.when, found.minutes, found.settle_minutes) == ({"severity": "sev[345]"}, 30, 5)


@pytest.mark.parametrize("name", WRONG_DEPLOY_WINDOWS)
def test_each_mistake_in_a_deploy_window_is_named(name: str, tmp_path: Path) -> None:
    old, new, field, reason = WRONG_DEPLOY_WINDOWS[name]
    assert old in DEPLOY_WINDOWS
    problems = added(tmp_path, DEPLOY_WINDOWS.replace(old, new, 1))
    assert [p.field for p in problems if reason in p.reason] == [f"deploy_windows[0].{field}"]


def test_what_the_document_shows_is_valid(tmp_path: Path) -> None:
    shown = DOCUMENT.read_text().partition("```yaml\n")[2].partition("```")[0]
    assert added(tmp_path, shown) == []
    team = load(tmp_path, INSTALLED)
    assert [len(x) for x in (team.maintenance, team.recurring_maintenance, team.deploy_windows, team.inhibitions)] == [
        *(1, 2, 1, 1)
    ]

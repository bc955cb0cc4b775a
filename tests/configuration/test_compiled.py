"""What ships in the layer is exactly the team that was checked, read back without any library."""

import json
import shutil
from pathlib import Path

from incident_bot import configuration
from incident_bot.configuration import diagnose, load
from incident_bot.domain import shape
from incident_bot.domain.team import Mode, Team

EXAMPLE = Path(__file__).parents[2] / "config"
TEAM = Path(__file__).parent / "team"


def test_the_example_team_is_valid_with_the_installed_plugins() -> None:
    assert [str(problem) for problem in diagnose(EXAMPLE)] == []


def test_the_compiled_team_loads_as_the_same_team() -> None:
    team = load(EXAMPLE)
    assert shape.load(Team, json.loads(configuration.compile(team))) == team


def test_the_order_of_rules_and_the_types_of_parameters_survive() -> None:
    team = shape.load(Team, json.loads(configuration.compile(load(TEAM))))
    assert [rule.name for rule in team.rules][:2] == ["heartbeat", "informational"]
    assert team.playbooks[0].parameters == {"limit": 20}
    assert team.playbooks[1].mode is Mode.FULL
    assert team.services["orders"].resources[0].canary is True


def test_recording_may_be_turned_off(tmp_path: Path) -> None:
    shutil.copytree(TEAM, tmp_path / "team")
    rules = tmp_path / "team" / "rules.yaml"
    rules.write_text(f"{rules.read_text()}\nrecording: false\n")
    assert (load(TEAM).recording, load(tmp_path / "team").recording) == (True, False)
    rules.write_text(rules.read_text().replace("recording: false", "recording: sometimes"))
    [problem] = diagnose(tmp_path / "team")
    assert problem.field == "recording"

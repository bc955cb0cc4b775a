"""Every mistake in a described source is told by file, line and field; a described source is one like any other."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from incident_bot import configuration, plugins
from incident_bot.configuration.custom import READY, ready
from incident_bot.configuration.document import read
from incident_bot.domain.custom import Custom
from incident_bot.domain.shape import dump, load
from tests.configuration.test_mistakes import INSTALLED, TEAM

DOOR = """
custom:
  door:
    reference: https://door.example.com/webhooks
    authentication: { scheme: header_token, header: X-Door }
    title: name
    status: { value: open, means: { "true": firing, "false": resolved } }
    severity: { value: level, means: { "1": sev1, "*": sev4 } }
    identity: { door: id }
    labels: { "at_*": place }
    examples:
      - name: it is open
        body: { name: Back door, open: true, level: 1, id: 7, place: { floor: 2 } }
        expect: [{ title: Back door, status: firing, severity: sev1, labels: { at_floor: "2" } }]
      - name: it is shut
        body: { name: Back door, open: false, level: 9, id: 7 }
        expect: [{ status: resolved, severity: sev4, identity: { door: "7" } }]
"""


def a_folder(folder: Path, sources: str, rules: str = "") -> Path:
    """The example team with that in sources.yaml."""
    shutil.copytree(TEAM, folder, dirs_exist_ok=True)
    (folder / "sources.yaml").write_text(sources)
    if rules:
        text = (folder / "rules.yaml").read_text()
        (folder / "rules.yaml").write_text(text.replace("rules:\n", f"rules:\n{rules}", 1))
    return folder


def problems(folder: Path, sources: str, rules: str = "") -> list[str]:
    found = configuration.diagnose(a_folder(folder, sources, rules), INSTALLED)
    return [f"{problem.line} {problem.field}: {problem.reason}|{problem.nearest}" for problem in found]


def test_one_that_is_right_is_a_source(tmp_path: Path) -> None:
    team = configuration.load(a_folder(tmp_path, DOOR), INSTALLED)

    source = plugins.source("door", team.custom)

    assert plugins.sources(team.custom)["door"].labels == source.labels == ("at_*",)
    assert source.authentication is not None
    assert source.authentication.challenge == 'Token header="X-Door"'


def test_it_is_the_same_after_it_was_compiled(tmp_path: Path) -> None:
    team = configuration.load(a_folder(tmp_path, DOOR), INSTALLED)

    compiled = json.loads(configuration.compile(team))

    assert load(Custom, compiled["custom"]["door"]) == team.custom["door"]
    assert "examples" not in compiled["custom"]["door"], "they are a test, and weigh on a cold start"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("title: name", "title: name.[?", "6 custom.door.title: is not JMESPath: Expecting"),
        ("title: name", "title: $.name", "6 custom.door.title: is not JMESPath: Unknown token $ at character 1"),
        ("title: name", "title: ''", "6 custom.door.title: is not JMESPath"),
        ("title: name", "title: uper(name)", "6 custom.door.title: JMESPath has no function 'uper'|"),
        ("    title: name\n", "", "3 custom.door.title: is missing|"),
        ("    identity: { door: id }\n", "", "3 custom.door.identity: is missing|"),
        ("identity: { door: id }", "identity: {}", "9 custom.door.identity: must name"),
        ("identity: { door: id }", "identity: { door: 'a b' }", "9 custom.door.identity.door: is not JMESPath"),
        ('"true": firing', '"true": fireing', "7 custom.door.status.means.true: 'fireing' is no status|firing"),
        ('"1": sev1', '"1": sev0', "8 custom.door.severity.means.1: 'sev0' is no severity|sev"),
        ("header_token, header: X-Door", "header_tokn", "5 custom.door.authentication.scheme: "),
        ("header_token, header: X-Door", "header_token", "5 custom.door.authentication.header: is missing"),
        ("header_token, header", "query_token, header", "5 custom.door.authentication.header: means nothing"),
        ("{ scheme: header_token, header: X-Door }", "[]", "5 custom.door.authentication: must name a scheme"),
        ("title: Back door, status", "title: Front door, status", "12 custom.door.examples[0]: it is open: alert 0"),
        (
            "status: resolved, severity",
            "colour: red, severity",
            "15 custom.door.examples[1]: it is shut: alert 0 has no",
        ),
        ("open: true, level", "level", "12 custom.door.examples[0]: it is open: rejects ['status']"),
        ("    title: name", "    title: name\n    colour: red", "7 custom.door.colour: there is no such field|"),
        ("  door:", "  cloudwatch:", "3 custom.cloudwatch: is the name of a source that exists"),
        ("  door:", "  sns:", "3 custom.sns: is the name of a source that exists"),
        ("  door:", "  Back-Door:", "3 custom.Back-Door: must be lower case"),
        ("    labels:", "    started: { value: at }\n    labels:", "10 custom.door.started: there is no such field|"),
        (
            "    labels:",
            "    started_at: { value: at, format: hours }\n    labels:",
            "10 custom.door.started_at.f",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(old: str, new: str, told: str, tmp_path: Path) -> None:
    assert old in DOOR

    found = problems(tmp_path, DOOR.replace(old, new, 1))

    assert [problem for problem in found if problem.startswith(told)], found


def test_one_without_examples_is_refused(tmp_path: Path) -> None:
    assert "has no examples" in problems(tmp_path, DOOR.partition("    examples:")[0])[0]


def test_what_is_no_mapping_is_told(tmp_path: Path) -> None:
    assert problems(tmp_path, "custom: [door]") == ["1 custom: must be a mapping of names|"]
    assert problems(tmp_path, "custom: { door: 7 }") == ["1 custom.door: must be a mapping|"]


def test_a_ready_made_one_is_one_line_and_any_part_of_it_can_be_replaced(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, "custom:\n  kuma: { use: uptime_kuma, resource: monitor.id }\n")

    team = configuration.load(folder, INSTALLED)

    assert team.custom["kuma"].resource == "monitor.id", configuration.diagnose(folder, INSTALLED)


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ("custom: { kuma: { use: uptime_coma } }", "1 custom.kuma.use: there is no ready-made source 'uptime_coma'|"),
        ("custom: { kuma: { use: uptime_kuma, title: '!' } }", "1 custom.kuma.title: is not JMESPath"),
    ],
)
def test_a_mistake_with_a_ready_made_one_is_told_too(sources: str, told: str, tmp_path: Path) -> None:
    assert [problem for problem in problems(tmp_path, sources) if problem.startswith(told)]


@pytest.mark.parametrize(("label", "fine"), [("at_floor", True), ("floor", False)])
def test_rules_may_match_its_labels_and_no_others(label: str, fine: bool, tmp_path: Path) -> None:
    rule = f"""  - name: doors
    owner: payments
    review_by: 2030-01-01
    when: {{ source: door, labels.{label}: "2" }}
    severity: sev4
"""
    found = [problem for problem in problems(tmp_path, DOOR, rule) if label in problem]

    assert (found == []) is fine, found


@pytest.mark.parametrize("name", ready())
def test_what_a_ready_made_one_tells_to_send_is_what_its_examples_carry(name: str) -> None:
    """Where the body is the sender's own script, no field is read that the script does not send."""
    raw: dict[str, Any] = read(READY / f"{name}.yaml").content
    setup = raw["setup"]

    assert f"/v1/webhooks/{name}" in setup
    if name in ("zabbix", "icinga"):
        sent = {key for example in raw["examples"] for key in example["body"]}
        assert [key for key in sent if f"{key}:" not in setup] == []


def test_every_ready_made_one_shows_a_firing_and_its_end() -> None:
    for name, described in ready().items():
        shown = {expected.get("status") for _, example in described.examples for expected in example.expect}
        assert {"firing", "resolved"} <= shown, name


def test_dump_keeps_what_was_described() -> None:
    for described in ready().values():
        assert load(Custom, dump(described.custom)) == described.custom

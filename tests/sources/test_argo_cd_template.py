"""Does the template that docs/ ships for Argo CD send exactly what the parser of its notifications reads?"""

import re
from datetime import datetime
from pathlib import Path

from ruamel.yaml import YAML

from incident_bot.domain.alert import Status
from incident_bot.domain.clock import instant
from incident_bot.payload import decode
from incident_bot.sources import read
from incident_bot.sources.argo_cd import SOURCE

TEMPLATE = Path(__file__).parents[2] / "docs" / "argocd-notifications.yaml"
NOW: datetime = instant("2026-01-15T10:05:00Z")


def settings() -> dict[str, str]:
    loaded: dict[str, str] = YAML(typ="safe").load(TEMPLATE.read_text())["data"]
    return loaded


def body(**values: str) -> str:
    """The template's body with each of its expressions replaced by a value, which is empty unless it is given."""
    template = YAML(typ="safe").load(settings()["template.incident-bot"])["webhook"]["incident-bot"]["body"]
    filled = re.sub(r'"(\w+)": \{\{.*?\| toJson \}\}', lambda m: f'"{m[1]}": {values.get(m[1], "null")}', template)
    assert "{{" not in filled, "every value is written as JSON"
    return filled


def test_it_tells_what_the_examples_tell() -> None:
    assert list(decode(body())) == list(SOURCE.examples[0].body)


def test_what_it_renders_is_read_even_where_argo_cd_knows_little() -> None:
    parsed = read(SOURCE, decode(body(application='"checkout"', health='"Degraded"')), NOW)

    assert [(alert.title, alert.status) for alert in parsed.alerts] == [("Health of checkout", Status.FIRING)]


def test_its_conditions_and_its_service_are_yaml_of_their_own() -> None:
    conditions = YAML(typ="safe").load(settings()["trigger.incident-bot"])
    service = YAML(typ="safe").load(settings()["service.webhook.incident-bot"])

    assert [condition["send"] for condition in conditions] == [["incident-bot"]] * 5
    assert service["url"].endswith(f"/v1/webhooks/{SOURCE.name}")

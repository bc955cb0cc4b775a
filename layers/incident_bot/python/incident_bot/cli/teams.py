"""The team of a configuration directory, placed in the account that a document speaks of."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from incident_bot.domain import shape
from incident_bot.domain.custom import Custom
from incident_bot.domain.team import Team

ARN = re.compile(r"arn:(aws[a-z-]*):[a-z0-9-]+:([a-z0-9-]+):(\d{12}):")
Config = Annotated[Path, typer.Option(help="The team's configuration.", exists=True, file_okay=False)]
NOWHERE = ("aws", "us-east-1", "000000000000")


def described(directory: Path) -> Mapping[str, Custom]:
    """The sources that the team of that directory describes; none where there is no such file. Invalid tells flaws."""
    if not (directory / "sources.yaml").exists():
        return {}
    from incident_bot import configuration  # noqa: PLC0415 - as below

    return configuration.load(directory).custom


def placed(directory: Path, text: str) -> Team:
    """The team with the partition, region and account of the text's first ARN in its own; Invalid tells its flaws."""
    from incident_bot import configuration  # noqa: PLC0415 - pydantic and YAML, for few commands alone

    found = ARN.search(text)
    names = zip(("Partition", "Region", "AccountId"), found.groups() if found else NOWHERE, strict=True)
    compiled = configuration.compile(configuration.load(directory)).decode()
    for name, value in names:
        compiled = compiled.replace(f"${{AWS::{name}}}", value)
    return shape.load(Team, json.loads(compiled))

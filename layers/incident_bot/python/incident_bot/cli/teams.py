"""The team of a configuration directory, placed in the account that a document speaks of."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from incident_bot.domain import shape
from incident_bot.domain.team import Team

ARN = re.compile(r"arn:(aws[a-z-]*):[a-z0-9-]+:([a-z0-9-]+):(\d{12}):")
Config = Annotated[Path, typer.Option(help="The team's configuration.", exists=True, file_okay=False)]
NOWHERE = ("aws", "us-east-1", "000000000000")


def placed(directory: Path, text: str) -> Team:
    """The team with the partition, region and account of the text's first ARN in its own; Invalid tells its flaws."""
    from incident_bot import configuration  # noqa: PLC0415 - pydantic and YAML, for few commands alone

    found = ARN.search(text)
    names = zip(("Partition", "Region", "AccountId"), found.groups() if found else NOWHERE, strict=True)
    compiled = configuration.compile(configuration.load(directory)).decode()
    for name, value in names:
        compiled = compiled.replace(f"${{AWS::{name}}}", value)
    return shape.load(Team, json.loads(compiled))

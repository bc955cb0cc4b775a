"""The product as it lies in a checkout: its handlers and state machines, found by place as synth finds them."""

import importlib
import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from incident_bot.world import Handler

ROOT = Path(__file__).resolve().parents[5]


@cache
def handlers() -> Mapping[str, Handler]:
    """Every stage's function by its placeholder: `functions/triage/triage.py` is `TriageFunctionArn`."""
    if str(ROOT) not in sys.path:  # the command line runs from anywhere, and functions are no installed package
        sys.path.append(str(ROOT))
    files = sorted((ROOT / "functions").glob("*/*.py"))
    return {placeholder(file.stem): _function(file) for file in files}


@cache
def definitions() -> Mapping[str, Any]:
    """Every state machine by its name: `statemachines/incident.asl.json` is `incident`."""
    files = sorted((ROOT / "statemachines").glob("*.asl.json"))
    return {file.name.removesuffix(".asl.json"): json.loads(file.read_text()) for file in files}


def placeholder(stage: str) -> str:
    """What stands for a stage's function in a state machine."""
    return f"{stage.title().replace('_', '')}FunctionArn"


def _function(file: Path) -> Handler:
    module = importlib.import_module(f"functions.{file.parent.name}.{file.stem}")
    function: Handler = getattr(module, file.stem)
    return function

"""Asks whether the Makefile offers what the project promises, and CI runs the same."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROMISED = ["benchmarks", "clean", "demo", "deploy", "help", "simulate", "stop", "test"]


def make(*arguments: str) -> str:
    made = subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return made.stdout


def test_help_lists_every_promised_target() -> None:
    listed = re.findall(r"^make (\w+)", make("help"), re.MULTILINE)
    assert [target for target in PROMISED if target not in listed] == []


@pytest.mark.parametrize("target", PROMISED)
def test_every_promised_target_is_made_of_commands(target: str) -> None:
    assert make("--dry-run", "--always-make", target).strip()


def test_parameters_reach_the_commands() -> None:
    assert "--schedules 7 --seed 3" in make("--dry-run", "simulate", "SCHEDULES=7", "SEED=3")
    assert "--only storm,latency" in make("--dry-run", "benchmarks", "ONLY=storm,latency")


def test_stopping_needs_nothing_installed() -> None:
    bare = [sys.executable, "-S", "-c", "import infra.local.stop"]
    subprocess.run(bare, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=True)


def test_ci_tests_demonstrates_looks_and_always_stops() -> None:
    script = (ROOT / ".ci/run").read_text()
    commands = [line for line in script.splitlines() if line.startswith(("make", ".venv", "trap", "set"))]
    assert commands == [
        "set -euo pipefail",
        "trap 'make stop' EXIT",
        "make test",
        "make demo CI=true",
        ".venv/bin/python -m infra.local.outcome",
    ]
    assert os.access(ROOT / ".ci/run", os.X_OK)

"""What a cold start pays for imports: each function of the paging path, over botocore with one client (1.0)."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.figure import Figure

ROOT = Path(__file__).parents[1]
RUNS = 7
BASELINE = """
from botocore.session import get_session
get_session().create_client("dynamodb", region_name="us-east-1")
"""
# What Lambda pays before the first event: its own runtime has botocore at hand, and the first call makes a client.
STAGE = BASELINE + "import incident_bot.aws.world\nfrom functions.{} import handler\n"
PATHS = {"receive": "ingest.receive", "consume": "ingest.consume", "advance": "triage.advance"}
TIMED = "import time; started = time.process_time()\n{}\nprint(time.process_time() - started)"


def measure() -> Iterator[Figure]:
    """Medians of fresh interpreters, taken in turns so that a busy machine is as unfair to all of them."""
    programs = {"baseline": BASELINE} | {name: STAGE.format(path) for name, path in PATHS.items()}
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(RUNS + 1):
        for name, program in programs.items():
            taken[name].append(_milliseconds(program))
    medians = {name: median(values[1:]) for name, values in taken.items()}  # the first run may compile
    for name in PATHS:
        yield Figure(name, medians[name], "CPU ms", medians["baseline"])


def _milliseconds(program: str) -> float:
    path = f"{ROOT}:{ROOT / 'layers' / 'incident_bot' / 'python'}"
    environment = {"PYTHONPATH": path, "PATH": "/usr/bin:/bin"}
    answer = subprocess.run(
        [sys.executable, "-c", TIMED.format(program)],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )
    return float(answer.stdout.split()[-1]) * 1000

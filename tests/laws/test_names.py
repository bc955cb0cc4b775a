"""Is it still one name per stage, everywhere a newcomer would look for it?"""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAGES = sorted(path for path in (ROOT / "functions").glob("*/*.py"))
MACHINES = {
    path.name.split(".")[0]: json.loads(path.read_text()) for path in (ROOT / "statemachines").glob("*.asl.json")
}
NO_STATES = {"receive", "consume", "operate", "sweep", "publish", "decide"}  # no state of a machine runs these
SERVES = {"Await": "advance"}  # states whose name is not their stage's


def tasks() -> dict[str, dict[str, str]]:
    """The stage that each Lambda state of each machine invokes, by its placeholder."""
    found: dict[str, dict[str, str]] = {}
    for machine, definition in MACHINES.items():
        invoked = {name: json.dumps(state) for name, state in definition["States"].items()}
        matches = {name: re.search(r"\$\{(\w+)FunctionArn\}", text) for name, text in invoked.items()}
        found[machine] = {name: match.group(1).lower() for name, match in matches.items() if match}
    return found


def test_every_stage_of_a_machine_is_a_file_and_every_file_is_a_stage_or_known_not_to_be() -> None:
    files = {path.stem for path in STAGES}
    run_by_states = {stage for states in tasks().values() for stage in states.values()}
    assert run_by_states <= files, "a state machine invokes a function that is no file"
    assert files - run_by_states <= NO_STATES, "a function that nothing runs"


@pytest.mark.parametrize(("state", "stage"), [(s, t) for states in tasks().values() for s, t in states.items()])
def test_a_state_is_named_after_the_stage_that_serves_it(state: str, stage: str) -> None:
    assert SERVES.get(state, stage) == stage
    assert state.lower().startswith(stage) or state in SERVES


@pytest.mark.parametrize("path", STAGES, ids=lambda path: path.stem)
def test_a_stage_is_a_function_of_its_files_name_with_a_handler_and_a_test_beside_it(path: Path) -> None:
    text = path.read_text()
    assert re.search(rf"^def {path.stem}\(world: World, event: Mapping\[str, Any\]\)", text, re.MULTILINE)
    assert re.search(r"^handler = ", text, re.MULTILINE)
    mirrored = ROOT / "tests" / "functions" / path.parent.name / f"test_{path.stem}.py"
    assert mirrored.exists(), f"{mirrored.relative_to(ROOT)} is missing"


@pytest.mark.parametrize("path", STAGES, ids=lambda path: path.stem)
def test_a_handler_reads_as_load_decide_save_return(path: Path) -> None:
    """A stage's own function fits a screen; what it needs lives where its subject is."""
    lines = path.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"def {path.stem}("))
    end = next((i for i in range(start + 1, len(lines)) if re.match(r"\S", lines[i])), len(lines))
    assert end - start <= 45

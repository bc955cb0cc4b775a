"""Asks whether the built layer holds what a Lambda needs, nothing else, and is the same every time."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from infra.layer import AWS_PYTHON, build

pytestmark = pytest.mark.toolchain


def contents(layer: Path) -> dict[str, str]:
    files = (path for path in layer.rglob("*") if path.is_file())
    return {path.relative_to(layer).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_local_layer_imports_alone() -> None:
    python = build("local") / "python"
    program = (
        f"import sys; sys.path.insert(0, {str(python)!r}); import pydantic, httpx, aws_lambda_powertools, incident_bot"
    )
    bare = [sys.executable, "-I", "-S", "-B", "-c", f"{program}; print(incident_bot.__file__)"]
    said = subprocess.run(bare, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout.strip()) == (0, str(python / "incident_bot" / "__init__.py")), said.stderr


def test_the_aws_layer_is_for_arm64_and_the_newest_runtime() -> None:
    compiled = [path.name for path in build("aws").rglob("*.so")]
    assert compiled
    tag = f"cpython-{AWS_PYTHON.replace('.', '')}-aarch64-linux-gnu.so"
    assert [name for name in compiled if not name.endswith((tag, ".abi3.so"))] == []


def test_what_the_cdk_calls_newest_is_what_the_layer_is_built_for() -> None:
    source = next(Path(sys.prefix).glob("lib/python*/site-packages/aws_cdk/aws_lambda/__init__.py"))
    names = [line for line in source.read_text().splitlines() if line.startswith("    def PYTHON_3_")]
    newest = max(int(name.split("PYTHON_3_")[1].split("(")[0]) for name in names)
    assert f"3.{newest}" == AWS_PYTHON


@pytest.mark.parametrize("unwanted", ["boto3", "botocore", "incident_bot/cli", "bin", "pip"])
def test_what_must_not_ship_does_not(unwanted: str) -> None:
    assert not (build("local") / "python" / unwanted).exists()


def test_nothing_that_differs_from_build_to_build_ships(tmp_path: Path) -> None:
    names = {Path(path).name for path in contents(build("local", state=tmp_path))}
    assert not {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"} & names
    assert not any(name.endswith(".pyc") for name in names)


def test_two_builds_from_nothing_are_equal(tmp_path: Path) -> None:
    first, second = (build("local", state=tmp_path / name) for name in ("first", "second"))
    assert first.name == second.name
    assert contents(first) == contents(second)


def test_a_second_build_is_the_first_one(tmp_path: Path) -> None:
    first = build("local", {"incident_bot/config.json": b"{}"}, tmp_path)
    made = first.stat().st_ctime_ns
    again = build("local", {"incident_bot/config.json": b"{}"}, tmp_path)
    assert (again, again.stat().st_ctime_ns) == (first, made)


def test_an_extra_file_ships_and_changes_the_layer(tmp_path: Path) -> None:
    one = build("local", {"incident_bot/config.json": b"1"}, tmp_path)
    two = build("local", {"incident_bot/config.json": b"2"}, tmp_path)
    assert one != two
    assert (one / "python/incident_bot/config.json").read_bytes() == b"1"
    assert (two / "python/incident_bot/config.json").read_bytes() == b"2"


def test_an_extra_file_never_writes_through_to_a_dependency(tmp_path: Path) -> None:
    plain = build("local", state=tmp_path)
    before = (plain / "python/httpx/__version__.py").read_bytes()
    changed = build("local", {"httpx/__version__.py": b"changed"}, tmp_path)
    assert (changed / "python/httpx/__version__.py").read_bytes() == b"changed"
    assert (plain / "python/httpx/__version__.py").read_bytes() == before


@pytest.mark.parametrize("path", ["../escaped", "/escaped", "incident_bot/../../escaped"])
def test_an_extra_file_stays_inside(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="stays inside"):
        build("local", {path: b""}, tmp_path)

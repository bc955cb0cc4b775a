"""Asks whether what `make` installs is pinned, hashed, the same everywhere, and free of any registry's address."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z0-9,-]+\])?==(\S+)", re.MULTILINE)


def pins(name: str) -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for package, version in PIN.findall((ROOT / "requirements" / f"{name}.txt").read_text()):
        versions.setdefault(package, set()).add(version)
    return versions


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_pinned_and_hashed(lock: Path) -> None:
    entries = [entry for entry in re.split(r"\n(?=[^\s#])", lock.read_text()) if not entry.startswith("#")]
    assert entries
    loose = [entry.split("\n")[0] for entry in entries if not PIN.match(entry) or "--hash=sha256:" not in entry]
    assert loose == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_index(lock: Path) -> None:
    assert not re.search(r"://|--index|--extra|--find-links|--trusted", lock.read_text())


def test_the_npm_lock_holds_hashes_and_no_registry() -> None:
    packages = json.loads((ROOT / "infra/cdk-cli/package-lock.json").read_text())["packages"]
    installed = [package for path, package in packages.items() if path]
    assert installed
    assert all(package["integrity"].startswith("sha512-") and "resolved" not in package for package in installed)


def test_tests_run_on_the_very_versions_that_ship() -> None:
    shipped, tested = pins("layer"), pins("dev")
    assert {name: tested.get(name) for name in shipped} == shipped


def test_the_emulator_and_the_tests_speak_the_same_botocore() -> None:
    emulator, tested = pins("emulator"), pins("dev")
    assert [emulator[name] for name in ("boto3", "botocore")] == [tested[name] for name in ("boto3", "botocore")]


def test_the_layer_leaves_boto3_to_the_runtime() -> None:
    assert not {"boto3", "botocore", "s3transfer", "moto"} & pins("layer").keys()

"""Builds the Lambda layer for one target without Docker: pinned dependencies, the package, and what is passed in."""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / ".local" / "layer"
PACKAGE = ROOT / "layers" / "incident_bot" / "python" / "incident_bot"
REQUIREMENTS = ROOT / "requirements" / "layer.txt"

# `local` runs on the emulator's interpreter, `aws` on the newest Python runtime that the pinned CDK knows, on arm64.
Target = Literal["local", "aws"]
TARGETS: tuple[Target, ...] = ("local", "aws")
AWS_PYTHON = "3.14"

LEFT_OUT_OF_PACKAGE = {
    "cli",
    "configuration",
    "virtual",
    "__pycache__",
    "tests",
}  # what only operators, synth and tests use
LEFT_OUT_OF_DEPENDENCIES = {"__pycache__", "bin", "test", "tests"}
KEPT_OF_DIST_INFO = {"METADATA", "entry_points.txt", "licenses", "LICENSE"}


def build(target: Target, extra_files: Mapping[str, bytes] | None = None, state: Path = STATE) -> Path:
    """The layer's directory, with everything under `python/`; the same inputs give the same path and bytes.

    `extra_files` maps paths below `python/`, such as `incident_bot/config.json`, to their content. What has been built
    before is not built again. A built layer never changes, so builds may run side by side.
    """
    extra = dict(sorted((extra_files or {}).items()))
    dependencies = install_dependencies(target, state)
    layer = state / target / _digest([dependencies.name, *_package_parts(), *_extra_parts(extra)])
    with _locked(layer):
        if not layer.exists():
            _assemble(layer, dependencies, extra)
    return layer


def install_dependencies(target: Target, state: Path = STATE) -> Path:
    """The directory of the target's trimmed dependencies; only the first call for a set of pins reaches the index."""
    name = f"{target}-{_digest([_interpreter(target), REQUIREMENTS.read_bytes(), Path(__file__).read_bytes()])}"
    installed = state / "dependencies" / name
    with _locked(installed):
        if not installed.exists():
            building = _emptied(installed.with_suffix(".building"))
            _install(target, building)
            _trim(building)
            building.rename(installed)
    return installed


def _assemble(layer: Path, dependencies: Path, extra: Mapping[str, bytes]) -> None:
    building = _emptied(layer.with_suffix(".building"))
    python = building / "python"
    shutil.copytree(dependencies, python, copy_function=os.link)
    for source in _package_files():
        _write(python / PACKAGE.name / source.relative_to(PACKAGE), source.read_bytes())
    for path, content in extra.items():
        relative = PurePosixPath(path)
        if relative.is_absolute() or ".." in relative.parts:
            raise ValueError(f"an extra file stays inside the layer: {path}")
        _write(python / relative, content)
    building.rename(layer)


def _install(target: Target, directory: Path) -> None:
    """With uv; with pip where only pip's own configuration knows the way to the index."""
    pinned = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement", str(REQUIREMENTS)]
    into = ["--target", str(directory)]
    version = ["--python-version", AWS_PYTHON]
    with_uv: list[str] = []
    with_pip: list[str] = []
    if target == "aws":
        with_uv = [*version, "--python-platform", "aarch64-manylinux_2_28"]
        with_pip = [*version, "--implementation", "cp"]
        with_pip += ["--platform", "manylinux_2_28_aarch64", "--platform", "manylinux_2_17_aarch64"]
        with_pip += ["--platform", "manylinux2014_aarch64"]
    uv = Path(sys.executable).with_name("uv")
    first = [str(uv), "pip", "install", "--python", sys.executable, *with_uv, *into, *pinned]
    if uv.exists() and subprocess.run(first, check=False).returncode == 0:
        return
    _emptied(directory)
    second = [sys.executable, "-m", "pip", "install", "--no-compile", *with_pip, *into, *pinned]
    subprocess.run(second, check=True)


def _trim(directory: Path) -> None:
    """Drop what no import reads and what differs from one build to the next (RECORD, INSTALLER, bytecode)."""
    for path in sorted(directory.rglob("*")):
        in_dist_info = path.parent.suffix == ".dist-info"
        if path.is_dir() and path.name in LEFT_OUT_OF_DEPENDENCIES:
            shutil.rmtree(path)
        elif in_dist_info and path.name not in KEPT_OF_DIST_INFO:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (directory / ".lock").unlink(missing_ok=True)


def _package_files() -> list[Path]:
    return [
        path
        for path in sorted(PACKAGE.rglob("*"))
        if path.is_file() and not LEFT_OUT_OF_PACKAGE.intersection(path.relative_to(PACKAGE).parts)
    ]


def _package_parts() -> Iterator[str | bytes]:
    for path in _package_files():
        yield from (path.relative_to(PACKAGE).as_posix(), path.read_bytes())


def _extra_parts(extra: Mapping[str, bytes]) -> Iterator[str | bytes]:
    yield "extra"
    for path, content in extra.items():
        yield from (path, content)


def _interpreter(target: Target) -> str:
    if target == "aws":
        return f"cp{AWS_PYTHON} arm64"
    return f"{sys.implementation.cache_tag} {sys.platform} {os.uname().machine}"


def _digest(parts: Sequence[str | bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()[:16]


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)  # it may be a link to the dependency's own file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _emptied(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the path's name against other builds in this checkout."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the Lambda layer.")
    parser.add_argument("targets", nargs="+", choices=TARGETS)
    parser.add_argument("--dependencies", action="store_true", help="install the dependencies only")
    arguments = parser.parse_args()
    for target in arguments.targets:
        print(install_dependencies(target) if arguments.dependencies else build(target))


if __name__ == "__main__":
    main()

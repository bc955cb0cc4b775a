"""Runs the benchmarks, shows their figures and writes results.json: `python -m benchmarks [--only core,calls]`."""

import argparse
import importlib
import json
import pkgutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import benchmarks
from benchmarks.figure import Figure
from incident_bot.stage import logger

RESULTS = Path(__file__).with_name("results.json")
Measure = Callable[[], Iterable[Figure]]


def discover() -> Mapping[str, Measure]:
    """Every benchmark by the name of its file."""
    names = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name != "__main__")
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in names}
    return {name: module.measure for name, module in modules.items() if hasattr(module, "measure")}


def run(found: Mapping[str, Measure], only: Sequence[str], results: Path) -> int:
    """Run those benchmarks (all where none is named) and write their figures; others keep theirs from before."""
    unknown = [name for name in only if name not in found]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(found)}", file=sys.stderr)
        return 2
    known = json.loads(results.read_text()) if results.exists() else {}
    for name in only or found:
        print(f"{name}:", flush=True)
        figures = list(_shown(found[name]()))
        kept = {key: entry for key, entry in known.items() if key.split(".")[0] != name}
        known = kept | {f"{name}.{figure.name}": figure.document() for figure in figures}
        results.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")
    return 0


def _shown(figures: Iterable[Figure]) -> Iterable[Figure]:
    for figure in figures:
        print(f"  {line(figure)}", flush=True)
        yield figure


def line(figure: Figure) -> str:
    """The figure for people."""
    if figure.value is None:
        return f"{figure.name:<42} skipped: {figure.note}"
    ratio = f"  {figure.ratio:.3g}x of {figure.baseline:.4g}" if figure.ratio is not None else ""
    goal = f"  goal {'at least' if figure.more else 'at most'} {figure.goal:g}" if figure.goal is not None else ""
    missed = "  MISSED" if figure.met is False else ""
    return f"{figure.name:<42} {figure.value:>10.4g} {figure.unit}{ratio}{goal}{missed}"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what the product costs.")
    parser.add_argument("--only", default="", help="names of benchmarks, separated by commas")
    logger.setLevel("CRITICAL")  # what the handlers log is of no use here
    names = [name for name in parser.parse_args().only.split(",") if name]
    return run(discover(), names, RESULTS)


if __name__ == "__main__":
    sys.exit(main())

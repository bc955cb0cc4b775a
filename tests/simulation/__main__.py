"""Play many schedules: `python -m tests.simulation --schedules 1000 --seed 7`; exit status 1 where one broke."""

import argparse
import logging
import sys
import time

from tests.simulation import acting, schedules


def main() -> int:
    """Play them, print what broke with the seed that reproduces it, and how much was played."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    began, calls, faults, broke = time.monotonic(), 0, 0, 0
    for seed in range(options.seed, options.seed + options.schedules):
        outcome = (acting.play if seed % 2 else schedules.play)(seed)  # the bot acts in every other one
        calls, faults = calls + outcome.calls, faults + len(outcome.faults)
        if outcome.flaws:
            broke += 1
            print(f"seed {seed}:", *outcome.flaws, "after:", *outcome.faults, sep="\n    ")  # noqa: T201
    seconds = time.monotonic() - began
    print(  # noqa: T201
        f"{options.schedules} schedules from seed {options.seed}: {calls} calls, {faults} faults, {broke} broken,"
        f" {seconds:.0f} s"
    )
    return 1 if broke else 0


if __name__ == "__main__":
    sys.exit(main())

"""The nearest valid name to one that does not exist: what a person most likely meant."""

import difflib
from collections.abc import Iterable


def nearest(name: str, valid: Iterable[str]) -> str:
    """The valid name that looks most like this one; empty when none comes near."""
    return next(iter(difflib.get_close_matches(name, list(valid), n=1, cutoff=0.5)), "")

"""Identifiers: short, sortable by time, free of hyphens (which separate an incident from its actions and approvals)."""

from datetime import datetime

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no letter looks like a digit
TIME_CHARACTERS = 9  # milliseconds, enough until the year 3084
TAIL_CHARACTERS = 6
TAILS = 1 << (5 * TAIL_CHARACTERS)


def identifier(moment: datetime, tail: int) -> str:
    """The identifier of that millisecond; `tail` (any number, taken modulo 2^30) tells apart those of the same one."""
    return _digits(int(moment.timestamp() * 1000), TIME_CHARACTERS) + _digits(tail % TAILS, TAIL_CHARACTERS)


def _digits(number: int, width: int) -> str:
    return "".join(ALPHABET[number >> (5 * place) & 31] for place in reversed(range(width)))

"""Instants: timezone-aware UTC inside, RFC 3339 with microseconds and `Z` outside (so that strings sort by time)."""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """`2026-01-15T10:00:00.000000Z`: always UTC, always the same width; ValueError where it has no offset."""
    if moment.tzinfo is UTC:  # nearly always
        return f"{moment.isoformat(timespec='microseconds')[:-6]}Z"
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no UTC offset")
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def instant(text: str) -> datetime:
    """Parse RFC 3339 (any offset, optional fraction of any length); ValueError where it is none or has no offset."""
    usual = text.endswith("Z") and text[:1].isdigit()
    moment = datetime.fromisoformat(text if usual else text.strip().replace("z", "Z"))
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no UTC offset")
    if moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:  # the first or the last day there is, in another time zone
        raise ValueError(f"{text!r} is out of range in UTC") from error

"""Do instants go out and come back unchanged, always in UTC, and do their texts sort by time?"""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.clock import instant, rfc3339
from incident_bot.virtual.clock import T0

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=OFFSETS)  # noqa: DTZ001 - they get one


@given(moment=MOMENTS)
def test_an_instant_comes_back_as_it_was_and_in_utc(moment: datetime) -> None:
    again = instant(rfc3339(moment))
    assert again == moment
    assert again.tzinfo is UTC
    assert len(rfc3339(moment)) == len("2026-01-15T10:00:00.000000Z")


@given(one=MOMENTS, other=MOMENTS)
def test_texts_sort_as_time_does(one: datetime, other: datetime) -> None:
    assert (rfc3339(one) < rfc3339(other)) == (one < other)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-15T10:00:00Z", 0),
        ("2026-01-15t10:00:00z", 0),
        (" 2026-01-15T10:00:00Z\n", 0),
        ("2026-01-15T11:30:00+01:30", 0),
        ("2026-01-15T10:00:00.5Z", 0.5),
        ("2026-01-15T10:00:00.123456789Z", 0.123456),  # as Go writes it
        ("2026-01-14T23:00:00.000+0000", -39600),  # as CloudWatch writes it
    ],
)
def test_what_vendors_write_is_read(text: str, seconds: float) -> None:
    assert instant(text) == T0 + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-01-15T10:00:00", "no UTC offset"),
        ("0001-01-01T00:00:00+14:00", "out of range"),
        ("9999-12-31T23:59:59-14:00", "out of range"),
        ("yesterday", "Invalid isoformat"),
        ("2026-13-01T00:00:00Z", "month"),
        ("", "Invalid isoformat"),
    ],
)
def test_what_is_no_instant_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        instant(text)


def test_a_moment_without_an_offset_is_never_written_as_if_it_were_local() -> None:
    with pytest.raises(ValueError, match="no UTC offset"):
        rfc3339(datetime(2026, 1, 15, 10))  # noqa: DTZ001 - that is the question

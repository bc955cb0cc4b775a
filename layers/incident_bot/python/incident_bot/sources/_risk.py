"""How much a vulnerability weighs: it is a risk and no incident yet."""

from incident_bot.domain.alert import Severity


def risk(severity: Severity | None, *, exploited: bool) -> Severity | None:
    """One level less than the same word elsewhere where an exploit is known, two where none is; never below Sev5."""
    return None if severity is None else Severity(min(severity + (1 if exploited else 2), Severity.SEV5))

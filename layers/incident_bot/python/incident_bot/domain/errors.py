"""The one exception hierarchy of Incident Bot.

IncidentBotError
|- Unparseable        an alert payload (or a part of it) is not what its source's format says
|- Unauthenticated    a caller did not prove who it is
|- Invalid            a caller's or the configuration's value is wrong; says where
|- Refused            a person's or a machine's request breaks a rule; says which
|- NotFound           nothing has that id
|- Conflict           somebody else changed the same state first; read again and decide again
|- Unavailable        a service we depend on failed, throttled or was too slow; may be tried again
'- Denied             AWS denied a call: never tried again
"""


class IncidentBotError(Exception):
    """What is wrong, in words a person on call can act on."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unparseable(IncidentBotError):
    """A payload breaks its format; `field` is the path of the offending value, `index` the alert in the delivery."""

    def __init__(self, reason: str, *, field: str = "", index: int = 0) -> None:
        super().__init__(reason)
        self.field = field
        self.index = index


class Unauthenticated(IncidentBotError):
    """The caller did not prove who it is."""


class Invalid(IncidentBotError):
    """A value is wrong; `where` names it (file:line field, or a JSON path)."""

    def __init__(self, reason: str, *, where: str = "") -> None:
        super().__init__(f"{where}: {reason}" if where else reason)
        self.where = where


class Refused(IncidentBotError):
    """A request breaks a rule; `rule` names it and `status` is the HTTP status that fits (403, 409 or 410)."""

    def __init__(self, reason: str, *, rule: str = "", status: int = 403) -> None:
        super().__init__(reason)
        self.rule = rule
        self.status = status


class NotFound(IncidentBotError):
    """Nothing has that id."""


class Conflict(IncidentBotError):
    """A conditional write lost; `failed` holds the keys whose conditions did not hold (empty when not known)."""

    def __init__(self, reason: str, *, failed: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(reason)
        self.failed = failed


class Unavailable(IncidentBotError):
    """A service we depend on failed, throttled or was too slow; the call may be tried again."""


class Denied(IncidentBotError):
    """AWS denied a call (AccessDenied); retrying it blindly is never right."""

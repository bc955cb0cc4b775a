"""What AWS's error answers mean, told by their code and never by their text."""

from incident_bot.domain.errors import Denied, IncidentBotError, NotFound, Refused, Unavailable

DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "NotAuthorized",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
MISSING = frozenset(
    {"ClusterNotFoundException", "NoSuchEntity", "ResourceNotFoundException", "ServiceNotFoundException"}
)
WRONG = frozenset(
    {
        "ClientException",
        "InvalidParameterException",
        "InvalidParameterValueException",
        "PreconditionFailedException",
        "ServiceNotActiveException",
        "UnsupportedFeatureException",
        "ValidationException",
    }
)


def code_of(error: BaseException) -> str:
    """The code in an SDK error's answer; empty where it has none (a timeout, a lost connection)."""
    answer = getattr(error, "response", None)
    found = answer.get("Error", {}).get("Code", "") if isinstance(answer, dict) else ""
    return str(found)


def meaning(error: Exception) -> IncidentBotError:
    """The error of ours that says it: Denied, NotFound, Refused (the call is wrong) or Unavailable (try again)."""
    if isinstance(error, IncidentBotError):
        return error
    code, text = code_of(error), f"{type(error).__name__}: {error}"[:400]
    if code in DENIED:
        return Denied(text)
    if code in MISSING:
        return NotFound(text)
    if code in WRONG:
        return Refused(text, rule=code, status=409)
    return Unavailable(text)

"""What an AWS error means for us: denied for good, wrong for good, not there, or worth another try."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from incident_bot.domain.errors import Denied, IncidentBotError, Invalid, NotFound, Unavailable

DENIALS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "KMSAccessDenied",
        "KMSAccessDeniedException",
        "NotAuthorized",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
MISTAKES = frozenset({"InvalidParameter", "InvalidParameterException", "InvalidParameterValue", "ValidationException"})
MISSING = frozenset(
    {"NoSuchBucket", "NoSuchKey", "NotFound", "NotFoundException", "ParameterNotFound", "ResourceNotFoundException"}
)


def code(error: ClientError) -> str:
    """The service's own code of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def meaning(error: ClientError, what: str) -> IncidentBotError:
    """The error of ours that says what became of `what`; anything unknown may be tried again."""
    reason = f"{what}: {error}"
    if code(error) in DENIALS:
        return Denied(reason)
    if code(error) in MISTAKES:
        return Invalid(reason)
    if code(error) in MISSING:
        return NotFound(reason)
    return Unavailable(reason)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Let no botocore exception out: each becomes one of ours, about `what`."""
    try:
        yield
    except ClientError as error:
        raise meaning(error, what) from error
    except ParamValidationError as error:
        raise Invalid(f"{what}: {error}") from error
    except BotoCoreError as error:
        raise Unavailable(f"{what}: {error}") from error

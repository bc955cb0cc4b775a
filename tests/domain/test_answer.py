"""Are AWS's answers told apart by their code, never by their text?"""

import pytest

from incident_bot.domain.answer import code_of, meaning
from incident_bot.domain.errors import Denied, NotFound, Refused, Unavailable


class Answered(Exception):
    """As the SDK raises it."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(text)
        self.response = {"Error": {"Code": code, "Message": text}}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDenied", Denied),
        ("AccessDeniedException", Denied),
        ("UnauthorizedOperation", Denied),
        ("ResourceNotFoundException", NotFound),
        ("ServiceNotFoundException", NotFound),
        ("PreconditionFailedException", Refused),
        ("InvalidParameterException", Refused),
        ("ThrottlingException", Unavailable),
        ("SomethingNobodyHeardOf", Unavailable),
    ],
)
def test_the_code_decides(code: str, kind: type[Exception]) -> None:
    assert isinstance(meaning(Answered(code, "AccessDenied, says the text")), kind)


def test_no_answer_at_all_may_be_tried_again() -> None:
    assert code_of(TimeoutError("read timed out")) == ""
    assert isinstance(meaning(TimeoutError("read timed out")), Unavailable)


def test_our_own_errors_stay_what_they_are() -> None:
    refused = Refused("no earlier version")

    assert meaning(refused) is refused

"""Does a sender get in with a proof of one of the secrets, and only with one?"""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from incident_bot.authentication import BearerOrBasic, StandardWebhooks
from incident_bot.domain.errors import Invalid, Unauthenticated

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
SECRET, NEXT = (f"whsec_{base64.b64encode(letter * 24).decode()}" for letter in (b"a", b"b"))
BODY = b'{"title": "late", "status": "firing"}'
SIGNED = StandardWebhooks()
SHARED = BearerOrBasic()


def basic(pair: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def test_our_signature_is_the_one_that_the_standards_own_library_makes_and_takes() -> None:
    now = datetime.now(UTC)
    ours = SIGNED.sign(BODY, SECRET, now, "msg_1")
    theirs = Webhook(SECRET).sign("msg_1", now.replace(tzinfo=None), BODY.decode())

    assert ours["webhook-signature"] == theirs
    Webhook(SECRET).verify(BODY, ours)
    SIGNED.verify(ours, BODY, (SECRET,), now)


@pytest.mark.parametrize("secrets", [(SECRET,), (NEXT, SECRET), (SECRET, NEXT), (SECRET.removeprefix("whsec_"),)])
def test_either_of_two_secrets_is_good_while_keys_rotate(secrets: tuple[str, ...]) -> None:
    SIGNED.verify(SIGNED.sign(BODY, SECRET, NOW, "m"), BODY, secrets, NOW)


def test_one_good_signature_of_several_is_enough() -> None:
    headers = SIGNED.sign(BODY, SECRET, NOW, "m")

    SIGNED.verify(
        {**headers, "webhook-signature": f"v1a,AAAA v1,AAAA {headers['webhook-signature']}"}, BODY, (SECRET,), NOW
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"webhook-id": "other"}, "does not match"),
        ({"webhook-timestamp": "1768471201"}, "does not match"),
        ({"webhook-signature": "v1,AAAA"}, "does not match"),
        ({"webhook-signature": "v1,"}, "does not match"),
        ({"webhook-signature": "v1,\u00fc\ud800"}, "does not match"),
        ({"webhook-signature": "garbage"}, "does not match"),
        ({"webhook-signature": ""}, "are needed"),
        ({"webhook-id": ""}, "are needed"),
        ({"webhook-id": "\ud800"}, "does not match"),
        ({"webhook-timestamp": "now"}, "not a number"),
        ({"webhook-timestamp": "-1"}, "not a number"),
        ({"webhook-timestamp": "\u0661\u0662"}, "not a number"),
        ({"webhook-timestamp": "9" * 400}, "not a number"),
    ],
)
def test_anything_else_that_is_signed_is_refused(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(Unauthenticated, match=reason):
        SIGNED.verify({**SIGNED.sign(BODY, SECRET, NOW, "m"), **changes}, BODY, (SECRET,), NOW)


@pytest.mark.parametrize(("seconds", "taken"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_a_signature_is_good_for_five_minutes_either_way(seconds: int, taken: bool) -> None:
    headers = SIGNED.sign(BODY, SECRET, NOW, "m")
    if taken:
        SIGNED.verify(headers, BODY, (SECRET,), NOW + timedelta(seconds=seconds))
        return
    with pytest.raises(Unauthenticated, match="300 s off"):
        SIGNED.verify(headers, BODY, (SECRET,), NOW + timedelta(seconds=seconds))


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        SIGNED.verify(SIGNED.sign(BODY, SECRET, NOW, "m"), BODY + b" ", (SECRET,), NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "not base64!"])
def test_a_secret_that_is_none_is_our_mistake_not_the_senders(secret: str) -> None:
    with pytest.raises(Invalid):
        SIGNED.verify(SIGNED.sign(BODY, SECRET, NOW, "m"), BODY, (secret,), NOW)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer s3cret"},
        {"authorization": "bearer  s3cret "},
        basic("alertmanager:s3cret"),
        basic(":s3cret"),
        SHARED.sign(BODY, "s3cret", NOW, "m"),
    ],
)
def test_alertmanager_gets_in_with_a_token_or_a_password(headers: dict[str, str]) -> None:
    SHARED.verify(headers, BODY, ("new", "s3cret"), NOW)


@pytest.mark.parametrize(
    ("headers", "secrets"),
    [
        ({}, ("s3cret",)),
        ({"authorization": ""}, ("s3cret",)),
        ({"authorization": "Bearer"}, ("s3cret",)),
        ({"authorization": "Bearer wrong"}, ("s3cret",)),
        ({"authorization": "Digest s3cret"}, ("s3cret",)),
        ({"authorization": "Basic not-base64"}, ("s3cret",)),
        ({"authorization": "Basic /////w=="}, ("s3cret",)),
        ({"authorization": "Bearer \ud800"}, ("s3cret",)),
        (basic("s3cret:wrong"), ("s3cret",)),
        (basic("alertmanager:"), ("",)),
        ({"authorization": "Bearer  "}, ("",)),
        ({"authorization": "Bearer s3cret"}, ()),
    ],
)
def test_alertmanager_gets_in_with_nothing_else(headers: dict[str, str], secrets: tuple[str, ...]) -> None:
    with pytest.raises(Unauthenticated):
        SHARED.verify(headers, BODY, secrets, NOW)


@given(
    st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "authorization"]), st.text()
    )
)
def test_no_header_makes_a_verification_raise_anything_else(headers: dict[str, str]) -> None:
    for way, secret in ((SIGNED, SECRET), (SHARED, "s3cret")):
        with pytest.raises(Unauthenticated):
            way.verify(headers, BODY, (secret,), NOW)

"""Does each webhook sender get in with its vendor's own proof of one of the secrets, and with nothing else?"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.authentication import AnyOf, Authentication, BearerOrBasic, HeaderSignature, HeaderToken
from incident_bot.domain.errors import Unauthenticated
from tests.sources.every import SOURCES

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
BODY = b'{"state": "firing"}'
KEYS = ("the-secret-of-today", "the-secret-of-tomorrow")
SECRETS = tuple(f"whsec_{base64.b64encode(key.encode()).decode()}" for key in KEYS)  # good for every scheme


def proof(scheme: Authentication, secret: str = SECRETS[0]) -> dict[str, str]:
    """The headers that carry the proof, as the vendor would send them."""
    return scheme.sign(BODY, secret, NOW, "msg_1")


HEX = HeaderSignature("X-Signature", prefix="sha256=")
BASE64 = HeaderSignature("X-Signature", encoding="base64")
TIMED = HeaderSignature("X-Signature", timestamp_header="X-Timestamp")
TOKEN = HeaderToken("X-Token")
EITHER = AnyOf(HEX, BearerOrBasic())
OURS: dict[str, Authentication] = {"hex": HEX, "base64": BASE64, "timed": TIMED, "token": TOKEN, "either": EITHER}
VENDORS = {name: source.authentication for name, source in SOURCES.items() if source.authentication}
SCHEMES = OURS | VENDORS
SIGNING = {name: scheme for name, scheme in SCHEMES.items() if "signature" in scheme.challenge.lower()} | {
    "generic": SCHEMES["generic"]
}

TIMING = {name: scheme for name, scheme in SCHEMES.items() if any("timestamp" in header for header in proof(scheme))}
timed = pytest.mark.parametrize("scheme", TIMING.values(), ids=TIMING)
each = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)


def refused(scheme: Authentication, headers: dict[str, str], secrets: tuple[str, ...] = SECRETS) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        scheme.verify(headers, BODY, secrets, NOW)
    return refusal.value.reason


@each
@pytest.mark.parametrize("secrets", [SECRETS[:1], SECRETS, SECRETS[::-1]], ids=["alone", "first", "second"])
def test_either_secret_is_good_while_keys_rotate(scheme: Authentication, secrets: tuple[str, ...]) -> None:
    scheme.verify(proof(scheme), BODY, secrets, NOW)


@each
def test_another_secret_is_not(scheme: Authentication) -> None:
    refused(scheme, proof(scheme, "whsec_" + base64.b64encode(b"of somebody else").decode()))


@each
def test_without_its_header_nobody_gets_in(scheme: Authentication) -> None:
    assert "needed" in refused(scheme, {"content-type": "application/json"})


@each
def test_where_no_secret_is_known_nobody_gets_in(scheme: Authentication) -> None:
    refused(scheme, proof(scheme), ())


@pytest.mark.parametrize("scheme", SIGNING.values(), ids=SIGNING)
def test_a_signature_is_good_for_its_own_body_alone(scheme: Authentication) -> None:
    with pytest.raises(Unauthenticated):
        scheme.verify(proof(scheme), BODY + b" ", SECRETS, NOW)


@timed
@pytest.mark.parametrize(("seconds", "taken"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_a_time_that_is_signed_is_good_for_five_minutes_either_way(
    scheme: Authentication, seconds: int, taken: bool
) -> None:
    now = NOW + timedelta(seconds=seconds)
    if taken:
        scheme.verify(proof(scheme), BODY, SECRETS, now)
        return
    with pytest.raises(Unauthenticated, match="300 s off"):
        scheme.verify(proof(scheme), BODY, SECRETS, now)


@timed
@pytest.mark.parametrize("timestamp", ["1768471201", "", "now"])
def test_a_time_cannot_be_changed_or_taken_away(scheme: Authentication, timestamp: str) -> None:
    sent = proof(scheme)
    (header,) = (name for name in sent if name.endswith("timestamp"))

    refused(scheme, {**sent, header: timestamp})


def test_what_is_signed_is_what_the_scheme_says() -> None:
    key, time = SECRETS[0].encode(), str(int(NOW.timestamp()))
    plain = hmac.new(key, BODY, hashlib.sha256)
    timed = hmac.new(key, time.encode() + b":" + BODY, hashlib.sha256).hexdigest()

    assert proof(HEX)["x-signature"] == f"sha256={plain.hexdigest()}"
    assert proof(BASE64)["x-signature"] == base64.b64encode(plain.digest()).decode()
    assert (proof(TIMED)["x-timestamp"], proof(TIMED)["x-signature"]) == (time, timed)


def test_one_good_signature_of_several_is_enough() -> None:
    HEX.verify({"x-signature": f"sha1=0, sha256=00,{proof(HEX)['x-signature']}"}, BODY, SECRETS, NOW)


@pytest.mark.parametrize(
    "signature", ["", ",", "sha256=", "sha1=00", "sha256=\u00fc\ud800", "sha256", "sha256=" + "00" * 32]
)
def test_anything_else_is_no_signature(signature: str) -> None:
    refused(HEX, {"x-signature": signature})


@pytest.mark.parametrize("scheme", [HEX, BASE64, TOKEN, EITHER])
def test_an_empty_secret_opens_nothing(scheme: Authentication) -> None:
    refused(scheme, proof(scheme, ""), ("",))


def test_where_a_vendor_offers_several_ways_any_is_good_and_a_refusal_names_all() -> None:
    EITHER.verify({"authorization": f"Bearer {SECRETS[1]}"}, BODY, SECRETS, NOW)

    assert "X-Signature" in refused(EITHER, {})
    assert "Authorization" in refused(EITHER, {})


@each
@given(st.dictionaries(st.sampled_from(["x-signature", "x-timestamp", "x-token", "authorization"]), st.text()))
def test_no_header_makes_a_verification_raise_anything_else(scheme: Authentication, headers: dict[str, str]) -> None:
    refused(scheme, headers)


def test_gitlab_signs_with_a_signing_token_and_sends_a_secret_token_and_never_the_other_way_round() -> None:
    gitlab, token = SCHEMES["gitlab"], "a-secret-token"
    for secret in (SECRETS[0], token):
        gitlab.verify(proof(gitlab, secret), BODY, (SECRETS[0], token), NOW)

    assert SECRETS[0] not in proof(gitlab).values()
    refused(gitlab, {"x-gitlab-token": SECRETS[0]}, (SECRETS[0], token))
    refused(gitlab, {"x-gitlab-token": SECRETS[0]}, SECRETS)

"""Does every secret leave a body before it is recorded, and does everything else stay as it was?"""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.redact import REDACTED, redacted

SECRET = "s3cr3tS3cr3tS3cr3tS3cr3t"
PAIR = base64.b64encode(f"ada:{SECRET}".encode()).decode()
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
KEYS = (
    *("token", "password", "secret", "authorization", "api_key", "routing_key", "X-Api-Key", "apiKey", "AuthToken"),
    *("aws_secret_access_key", "db.password", "DD-APPLICATION-KEY", "Set-Cookie", "accessKeyId", "PASSWD"),
)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (f"Authorization: Bearer {SECRET}", f"Authorization: {REDACTED}"),
        (f"sent with bearer {SECRET}, refused", f"sent with bearer {REDACTED}, refused"),
        (f"curl -H 'Basic {PAIR}'", f"curl -H 'Basic {REDACTED}'"),
        ("the basic monitoring is off", "the basic monitoring is off"),
        ("a bearer authentication failed", "a bearer authentication failed"),
        ("key AKIAIOSFODNN7EXAMPLE was used", f"key {REDACTED} was used"),
        (f"https://ada:{SECRET}@db.test/x", f"https://{REDACTED}@db.test/x"),
        ("mail to ada@example.com", "mail to ada@example.com"),
        (f"https://t.test/?a=1&access_token={SECRET}&b=2", f"https://t.test/?a=1&access_token={REDACTED}&b=2"),
        (f"https://s3.test/o?X-Amz-Signature={SECRET}", f"https://s3.test/o?X-Amz-Signature={REDACTED}"),
        (f"DB_PASSWORD={SECRET} psql", f"DB_PASSWORD={REDACTED} psql"),
        (f'{{"password": "{SECRET}", cut off', f'{{"password": {REDACTED}, cut off'),
        (f'token="{SECRET}', f"token={REDACTED}"),
        ("512 tokens used", "512 tokens used"),
        ("ghp_" + "a1" * 18, REDACTED),
        ("xoxb-123456789012-abcdef", REDACTED),
        (JWT, REDACTED),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n", f"{REDACTED}\n"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE and then cut off", REDACTED),
    ],
)
def test_text_loses_what_proves_who_somebody_is(text: str, after: str) -> None:
    assert redacted(text) == after
    assert json.loads(redacted(json.dumps({"summary": text}))) == {"summary": after}


@pytest.mark.parametrize("value", [SECRET, 271828, [SECRET], {"value": SECRET, "kind": "x"}])
@pytest.mark.parametrize("key", KEYS)
def test_whatever_stands_under_a_key_of_secrets_goes(key: str, value: Any) -> None:
    body = {"alerts": [{"labels": {key: value, "service": "checkout"}}]}
    assert json.loads(redacted(json.dumps(body))) == {"alerts": [{"labels": {key: REDACTED, "service": "checkout"}}]}


def test_a_key_is_read_as_json_reads_it() -> None:
    assert redacted(f'{{"t\\u006fken" : "{SECRET}"}}') == f'{{"t\\u006fken" : "{REDACTED}"}}'


@pytest.mark.parametrize("value", ["null", "true", "false", '""', "[]", "{}"])
def test_what_is_nothing_stays(value: str) -> None:
    assert redacted(f'{{"token": {value}}}') == f'{{"token": {value}}}'


@pytest.mark.parametrize("key", ["groupKey", "dedup_key", "tokens", "max_tokens_used", "keyboard", "secretary"])
def test_keys_that_only_look_alike_keep_their_values(key: str) -> None:
    assert redacted(json.dumps({key: "a value", "token": None})) == json.dumps({key: "a value", "token": None})


def test_json_in_a_string_is_json_too_as_in_an_sns_notification() -> None:
    inner = json.dumps({"AlarmName": "a", "Trigger": {"password": SECRET}})
    after = json.loads(redacted(json.dumps({"Type": "Notification", "Message": inner})))
    assert json.loads(after["Message"]) == {"AlarmName": "a", "Trigger": {"password": REDACTED}}


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
PLAIN = st.text("abcdefgh ", max_size=8)
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3), max_leaves=10
)


@given(DOCUMENTS, st.sampled_from(KEYS), DOCUMENTS, st.integers(0, 3))
def test_no_secret_survives_however_deep_it_is_and_however_often_it_is_quoted(
    around: Any, key: str, beside: Any, quoted: int
) -> None:
    document: Any = {"around": around, "deep": [{key: {"x": [SECRET]}}], "beside": beside}
    for _ in range(quoted):
        document = {"Message": json.dumps(document)}
    after = redacted(json.dumps(document))
    assert SECRET not in after
    json.loads(after)


@given(st.recursive(PLAIN | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(PLAIN, inner)))
def test_what_holds_no_secret_stays_as_it_was_written(document: Any) -> None:
    text = json.dumps([document, {"token": None}], indent=1)
    assert redacted(text) == text


@given(st.text() | DOCUMENTS.map(json.dumps) | st.from_regex(r"(token|password|://|@|\"|=|:|\\| ){1,30}"))
def test_nothing_raises_and_a_second_time_changes_nothing(text: str) -> None:
    once = redacted(text)
    assert redacted(once) == once

"""Does every secret leave a body before it is recorded, and does everything else stay as it was?"""

import base64
import json
from typing import Any
from urllib.parse import quote, quote_plus

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
    *("pagerduty_key", "PGPASS", "db-pass", "dbPass", "smtp_pass", "passwordHash", "tokenValue", "api_key_base64"),
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
        (f"postgres://ada:p%40{SECRET}@db.test/x", f"postgres://{REDACTED}@db.test/x"),
        (f"postgres://ada:p%40a%2F{SECRET}@db.test/x%20y", f"postgres://{REDACTED}@db.test/x%20y"),
        (f"https://ada:p@{SECRET}@db.test/x", f"https://{REDACTED}@db.test/x"),
        ("mail to ada@example.com", "mail to ada@example.com"),
        (f"https://t.test/?a=1&access_token={SECRET}&b=2", f"https://t.test/?a=1&access_token={REDACTED}&b=2"),
        (f"https://s3.test/o?X-Amz-Signature={SECRET}", f"https://s3.test/o?X-Amz-Signature={REDACTED}"),
        (f"DB_PASSWORD={SECRET} psql", f"DB_PASSWORD={REDACTED} psql"),
        (f'{{"password": "{SECRET}", cut off', f'{{"password": {REDACTED}, cut off'),
        (f'token="{SECRET}', f"token={REDACTED}"),
        ("512 tokens used", "512 tokens used"),
        ("tokens: 512, pass=12, fail=3", "tokens: 512, pass=12, fail=3"),
        (f"tokens: {SECRET}, api_keys={SECRET}", f"tokens: {REDACTED}, api_keys={REDACTED}"),
        (f"PGPASS={SECRET} psql", f"PGPASS={REDACTED} psql"),
        (f"PGPASSWORD={SECRET} psql", f"PGPASSWORD={REDACTED} psql"),
        (f"mount -o user=ada,pass={SECRET},dbPass={SECRET}", f"mount -o user=ada,pass={REDACTED},dbPass={REDACTED}"),
        ("db_pass=1234", f"db_pass={REDACTED}"),
        (f"mysql --password {SECRET} -u root", f"mysql --password {REDACTED} -u root"),
        (f"vault login -token '{SECRET}' -x", f"vault login -token {REDACTED} -x"),
        (f"x --db.user-password {SECRET}", f"x --db.user-password {REDACTED}"),
        ("mysql --password -u root; git --no-token --all", "mysql --password -u root; git --no-token --all"),
        (f"Endpoint=x;AccountKey={SECRET};y", f"Endpoint=x;AccountKey={REDACTED};y"),
        (f"- name: DB_PASSWORD\n  value: {SECRET}\n", f"- name: DB_PASSWORD\n  value: {REDACTED}\n"),
        (f"run {{'name': 'DB_TOKEN', 'value': '{SECRET}'}}", f"run {{'name': 'DB_TOKEN', 'value': {REDACTED}}}"),
        (f"https://hooks.slack.com/services/T0/B0/{SECRET}", f"https://hooks.slack.com/services/{REDACTED}"),
        (f"at hooks.slack.com/triggers/T0/1/{SECRET}.", f"at hooks.slack.com/triggers/{REDACTED}"),
        (
            f"<https://a.webhook.office.com/webhookb2/{SECRET}|x>",
            f"<https://a.webhook.office.com/webhookb2/{REDACTED}|x>",
        ),
        (f"https://discord.com/api/webhooks/12/{SECRET}?wait=1", f"https://discord.com/api/webhooks/{REDACTED}?wait=1"),
        (f"events.pagerduty.com/integration/{SECRET}/enqueue", f"events.pagerduty.com/integration/{REDACTED}"),
        (f"payload=%7B%22token%22%3A%22{SECRET}%22%7D&a=1", f"payload=%7B%22token%22%3A%22{REDACTED}%22%7D&a=1"),
        (f"/login?next=%2Fa%3Ftoken%3D{SECRET}%26b%3D2", f"/login?next=%2Fa%3Ftoken%3D{REDACTED}%26b%3D2"),
        (f"next=%2Fa%3Fsig%3D{SECRET}", f"next=%2Fa%3Fsig%3D{REDACTED}"),
        ("the token of 90%25 of a%20b", "the token of 90%25 of a%20b"),
        (
            "the token-bucket: full, passed=3, bypass=on, compass: north",
            "the token-bucket: full, passed=3, bypass=on, compass: north",
        ),
        ("PASS: all tests; password reset was asked for", "PASS: all tests; password reset was asked for"),
        (f"the password is {SECRET}.", f"the password is {REDACTED}."),
        (f"its api key was set to '{SECRET}', then", f"its api key was set to {REDACTED}, then"),
        ("the token is expired, the password was wrong.", "the token is expired, the password was wrong."),
        ("the secret is 512 bytes, a token is not valid", "the secret is 512 bytes, a token is not valid"),
        ("the token is arn:aws:kms:eu-1:1:key/a1", "the token is arn:aws:kms:eu-1:1:key/a1"),
        (f"mysql -u root -p{SECRET} -h db shop", f"mysql -u root -p{REDACTED} -h db shop"),
        (f"mysqldump -p'{SECRET}' shop | gzip -p9", f"mysqldump -p{REDACTED} shop | gzip -p9"),
        ("mysql -P3306 -p shop; mkdir -pv x", "mysql -P3306 -p shop; mkdir -pv x"),
        ("mysql is slow. cp --preserve a -b", "mysql is slow. cp --preserve a -b"),
        (f"run {{'password': {{'value': '{SECRET}'}}}}", f"run {{'password': {REDACTED}}}"),
        (f"tokens: ['{SECRET}', '{SECRET}'], 2 more", f"tokens: {REDACTED}, 2 more"),
        (f"secret={{'a': ['{SECRET}', '{SECRET}'", f"secret={REDACTED}"),
        (f"https://api.telegram.org/bot123456789:{SECRET}/getMe", f"https://api.telegram.org/bot{REDACTED}/getMe"),
        (f"sent by 123456789:AA{'b-' * 16}c", f"sent by {REDACTED}"),
        ("https://shop.test/bot12:30/x, at 12:AA", "https://shop.test/bot12:30/x, at 12:AA"),
        ("npm_" + "a1" * 18, REDACTED),
        ("AIza" + "Sy-b_" * 7, REDACTED),
        ("sk-ant-api03-" + "a1_" * 20, REDACTED),
        ("sk-proj-" + "a1_" * 20, REDACTED),
        (f"SG.{'a1' * 11}.{'b-' * 21}c", REDACTED),
        ("npm_config_cache, SG.1, task-ant-eater, AIzawa", "npm_config_cache, SG.1, task-ant-eater, AIzawa"),
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


@pytest.mark.parametrize(
    "key",
    [
        "groupKey",
        "dedup_key",
        "max_tokens_used",
        "keyboard",
        "secretary",
        "compass",
        "bypass",
        "token-bucket",
        "passed",
        "hash",
        "defaultValue",
        "text",
        "keyHash",
    ],
)
def test_keys_that_only_look_alike_keep_their_values(key: str) -> None:
    assert redacted(json.dumps({key: "a value", "token": None})) == json.dumps({key: "a value", "token": None})


def test_json_in_a_string_is_json_too_as_in_an_sns_notification() -> None:
    inner = json.dumps({"AlarmName": "a", "Trigger": {"password": SECRET}})
    after = json.loads(redacted(json.dumps({"Type": "Notification", "Message": inner})))
    assert json.loads(after["Message"]) == {"AlarmName": "a", "Trigger": {"password": REDACTED}}


NAMES = [("name", "value"), ("Name", "Value"), ("Key", "Value"), ("key", "value"), ("ParameterKey", "ParameterValue")]


@given(
    st.sampled_from(NAMES),
    st.sampled_from(KEYS),
    st.sampled_from([SECRET, [SECRET], {"a": {"value": SECRET}}, 271828]),
    st.permutations(["name", "value", "other", "deep"]),
    st.booleans(),
)
def test_the_value_beside_the_name_of_a_secret_goes_wherever_it_stands(
    pair: tuple[str, str], key: str, value: Any, order: list[str], cut: bool
) -> None:
    deep = {"value": "stays", "name": "LOG_LEVEL"}
    members = {"name": (pair[0], key), "value": (pair[1], value), "other": ("type", "x"), "deep": ("deep", deep)}
    document = [dict(members[place] for place in order), {pair[0]: "LOG_LEVEL", pair[1]: "info"}]
    after = redacted(json.dumps({"environment": document}, indent=2 if cut else None))
    document[0][pair[1]] = REDACTED
    assert json.loads(after) == {"environment": document}


@pytest.mark.parametrize("key", ["passwords", "tokens", "api_keys", "clientSecrets"])
def test_many_secrets_go_and_their_number_stays(key: str) -> None:
    assert json.loads(redacted(json.dumps({key: [SECRET]}))) == {key: REDACTED}
    assert json.loads(redacted(json.dumps({key: SECRET}))) == {key: REDACTED}
    assert redacted(json.dumps({key: 512})) == json.dumps({key: 512})


@given(st.sampled_from(KEYS), st.integers(1, 3), st.sampled_from([quote, quote_plus]), st.booleans())
def test_no_secret_survives_under_percent_encoding(key: str, layers: int, encode: Any, query: bool) -> None:
    text = f"a=1&{key}={SECRET}&b=2" if query else json.dumps({"a b": "1", key: [SECRET], "c": "2"})
    for _ in range(layers):
        text = encode(text)
    after = redacted(f"https://a.test/x?payload={text}&c=3")
    assert SECRET not in after
    assert after.startswith("https://a.test/x?payload=")
    assert after.endswith("&c=3")


@pytest.mark.parametrize("flag", ["--password", "-token", "--api-key", "--db.password"])
def test_the_argument_after_an_option_for_a_secret_goes(flag: str) -> None:
    arguments = ["mysql", flag, SECRET, "-u", "root", flag, "--verbose", flag]
    after = ["mysql", flag, REDACTED, "-u", "root", flag, "--verbose", flag]
    assert json.loads(redacted(json.dumps({"command": arguments}))) == {"command": after}


@pytest.mark.parametrize(
    ("arguments", "after"),
    [
        (["mysql", "-u", "root", f"-p{SECRET}"], ["mysql", "-u", "root", f"-p{REDACTED}"]),
        (["/usr/bin/mysqldump", f"-p{SECRET}", "shop"], ["/usr/bin/mysqldump", f"-p{REDACTED}", "shop"]),
        (["docker", "run", "-p80:80"], ["docker", "run", "-p80:80"]),
        (["mysql", "-p", "shop"], ["mysql", "-p", "shop"]),
        ([["mysql", "shop"], ["docker", "-p80:80"]], [["mysql", "shop"], ["docker", "-p80:80"]]),
    ],
)
def test_what_stands_right_behind_an_option_of_mysql_goes(arguments: list[Any], after: list[Any]) -> None:
    assert json.loads(redacted(json.dumps({"command": arguments, "token": None}))) == {"command": after, "token": None}


@pytest.mark.parametrize(
    ("document", "after"),
    [
        ([["HOST", "db"], ["DB_PASSWORD", SECRET]], [["HOST", "db"], ["DB_PASSWORD", REDACTED]]),
        ([["token", {"a": SECRET}]], [["token", REDACTED]]),
        ([["token", "password"], ["secret", "api_key"]], [["token", "password"], ["secret", "api_key"]]),
        (["token", "email"], ["token", "email"]),
        ([["token", "email", "name"]], [["token", "email", "name"]]),
        (
            {"name": {"S": "DB_PASSWORD"}, "value": {"S": SECRET}},
            {"name": {"S": "DB_PASSWORD"}, "value": REDACTED},
        ),
        ({"name": "DB_PASSWORD", "is": {"value": SECRET}}, {"name": "DB_PASSWORD", "is": {"value": REDACTED}}),
        (
            {"name": "get-token", "on": [{"name": "p95", "value": 5}], "at": {"value": 3}},
            {"name": "get-token", "on": [{"name": "p95", "value": 5}], "at": {"value": REDACTED}},
        ),
    ],
)
def test_a_pair_is_one_however_it_is_nested(document: Any, after: Any) -> None:
    assert json.loads(redacted(json.dumps(document))) == after


TALK = """the a of is was has not expired wrong invalid missing required rotated 3 512 p95 token tokens secret password
key alarm mysql pod in at 10:15 for 5m error 401 - (see /bot docs) , ."""
WORDS = st.sampled_from(TALK.split())


@given(st.lists(WORDS, max_size=15).map(" ".join))
def test_what_people_write_of_secrets_stays_readable(text: str) -> None:
    assert redacted(text) == text


def test_what_secrets_manager_calls_a_secret_is_one() -> None:
    assert json.loads(redacted(json.dumps({"SecretString": SECRET}))) == {"SecretString": REDACTED}


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

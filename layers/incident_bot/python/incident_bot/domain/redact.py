"""Redaction: what proves who somebody is leaves a delivery's body before it is recorded, and nothing else changes.

Redacted are
- in JSON, at any depth, and in JSON inside of strings: the value of a key that ends in one of SECRET_KEYS, however it
  is spelled (`X-Api-Key` and `apiKey` alike);
- in any text: what follows such a key and `=` or `:`, Bearer and Basic credentials, AWS access keys, tokens of GitHub,
  GitLab, Slack and Stripe, JSON Web Tokens and private keys in PEM;
- in URLs: the user with the password, and parameters of the query that are such keys or signatures.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable

REDACTED = "REDACTED"
SECRET_KEYS = (
    *("token", "password", "passwd", "passphrase", "pwd", "secret", "authorization", "credential", "credentials"),
    *("cookie", "cookies", "sessionid", "connectionstring", "accesskey", "accesskeyid", "secretkey", "apikey"),
    *("appkey", "applicationkey", "routingkey", "integrationkey", "servicekey", "privatekey", "signingkey"),
)
SIGNED = ("sig", "signature", "xamzsignature", "key", "code", "auth", "jwt")  # parameters of URLs besides
# Whatever is redacted has one of these in it; most texts have none, and are dealt with by looking for them.
SIGNS = (
    *("token", "passw", "passphrase", "pwd", "secret", "authorization", "credential", "cookie", "sessionid"),
    *("connectionstring", "accesskey", "apikey", "appkey", "applicationkey", "routingkey", "integrationkey"),
    *("servicekey", "privatekey", "signingkey", "bearer", "basic", "akia", "asia", "ghp", "gho", "ghu", "ghs", "ghr"),
    *("githubpat", "glpat", "xox", "sklive", "rklive", "eyj", "sig=", "signature=", "key=", "code=", "auth=", "jwt="),
    *("@", "\\u00"),  # an escape may hide a letter of any of them
)
BETWEEN = str.maketrans("", "", "_-. ")
LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
COLON = re.compile(r"\s*:\s*")
NOTHING = frozenset({"null", "true", "false", '""', "[]", "{}"})
AGAIN = json.JSONDecoder()

KEY = r"(?:{})".format("|".join("[_. -]?".join(key) if key.endswith("key") else key for key in sorted(SECRET_KEYS)))
Replace = str | Callable[[re.Match[str]], str]


def redacted(text: str) -> str:
    """The text without what is secret in it: the very same text where there is nothing."""
    if not _suspicious(text):
        return text
    return _of_json(text) if _is_json(text) else _of_prose(text)


def _suspicious(text: str) -> bool:
    squeezed = text.lower().replace("_", "").replace("-", "").replace(".", "").replace(" ", "")
    return any(sign in squeezed for sign in SIGNS)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _of_json(text: str) -> str:
    """Literal by literal, so that whatever is no secret stays as it was written."""
    parts: list[str] = []
    place = 0
    while literal := LITERAL.search(text, place):
        parts.append(text[place : literal.start()])
        colon = COLON.match(text, literal.end())
        if colon and _secret(_said(literal[0])):
            _, place = AGAIN.raw_decode(text, colon.end())
            value = text[colon.end() : place]
            parts += (literal[0], colon[0], value if value in NOTHING else f'"{REDACTED}"')
        else:
            parts.append(_of_literal(literal[0]))
            place = literal.end()
    return "".join([*parts, text[place:]])


def _of_literal(literal: str) -> str:
    said = _said(literal)
    after = _of_json(said) if said.lstrip()[:1] in ("{", "[") and _is_json(said) else _of_prose(said)
    return literal if after == said else json.dumps(after)


def _said(literal: str) -> str:
    found: str = json.loads(literal, strict=False) if "\\" in literal else literal[1:-1]
    return found


def _secret(key: str) -> bool:
    return key.lower().translate(BETWEEN).endswith(SECRET_KEYS)


def _of_prose(text: str) -> str:
    if _suspicious(text):
        for pattern, replace in PROSE:
            text = pattern.sub(replace, text)
    return text


def _parameter(found: re.Match[str]) -> str:
    name = found["name"].lower().translate(BETWEEN)
    return f"{found['before']}{REDACTED}" if name in SIGNED or name.endswith(SECRET_KEYS) else found[0]


def _basic(found: re.Match[str]) -> str:
    """`Basic` and a pair in base64; the word is used for other things too."""
    try:
        pair = base64.b64decode(found["value"] + "=" * (-len(found["value"]) % 4))
    except (binascii.Error, ValueError):
        return found[0]
    return f"{found['before']}{REDACTED}" if b":" in pair else found[0]


def _bearer(found: re.Match[str]) -> str:
    token = found["value"]
    return f"{found['before']}{REDACTED}" if len(token) >= 20 or any(c.isdigit() for c in token) else found[0]


# Each takes time in proportion to the text: what repeats is bounded, or ends where the next may begin.
PROSE: tuple[tuple[re.Pattern[str], Replace], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        REDACTED,
    ),
    (
        re.compile(r"(?i)(?P<before>[a-z][a-z0-9+.-]{1,20}://)[^\s/?#@\"'<>]{1,500}@"),
        rf"\g<before>{REDACTED}@",
    ),
    (re.compile(r"(?P<before>[?&](?P<name>[\w.%~-]{1,80})=)[^&#\s\"'<>]+"), _parameter),
    (re.compile(r"(?i)(?P<before>\bbasic\s{1,3})(?P<value>[A-Za-z0-9+/_-]{4,}={0,2})"), _basic),
    (re.compile(r"(?i)(?P<before>\bbearer\s{1,3})(?P<value>[A-Za-z0-9._~+/=-]{8,})"), _bearer),
    (
        re.compile(r"(?i)(?P<before>(?:authorization|cookie)[\"']?\s{0,3}[=:]\s{0,3}[\"']?)[^\r\n\"']+"),
        rf"\g<before>{REDACTED}",
    ),
    (
        re.compile(
            rf"(?P<before>{KEY}[\"']?\s{{0,3}}[=:]\s{{0,3}})"
            r"(?:(?:\"[^\"]*\"|'[^']*')[^\s,;&\"'<>)}\]]*|[\"']?[^\s,;&\"'<>)}\]]+)",
            re.IGNORECASE,
        ),
        rf"\g<before>{REDACTED}",
    ),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), REDACTED),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-)[\w-]{20,}"), REDACTED),
    (re.compile(r"\b(?:xox[a-z]-|[sr]k_live_)[\w-]{10,}"), REDACTED),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), REDACTED),
)

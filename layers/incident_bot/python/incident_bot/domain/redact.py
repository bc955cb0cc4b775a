"""Redaction: what proves who somebody is leaves a delivery's body before it is recorded, and nothing else changes.

Redacted are
- in JSON, at any depth, and in JSON inside of strings: the value of a key that ends in one of SECRET_KEYS, however it
  is spelled (`X-Api-Key` and `apiKey` alike), in its plural, but for a number, which counts, or with one of FORMS
  behind it (`passwordHash`); and the value beside such a name, as lists of environment variables have it
  (`{"name": "DB_PASSWORD", "value": ...}`), either of them one object deeper too, or the second of a pair among pairs;
- in any text: what follows such a key and `=` or `:`, or `is` where it looks like a secret, or as an option of a
  command (`--password ...`, `mysql -p...`, in a list of arguments too), Bearer and Basic credentials, AWS access keys,
  tokens of GitHub, GitLab, Slack, Stripe, npm, Google, OpenAI, Anthropic, SendGrid and Telegram's bots, JSON Web Tokens
  and private keys in PEM;
- in URLs: the user with the password, parameters of the query that are such keys or signatures, and the paths of
  webhooks, which are their own password;
- all of this where it is percent-encoded too.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus, unquote_plus

REDACTED = "REDACTED"
SECRET_KEYS = (
    *("token", "password", "passwd", "passphrase", "pwd", "secret", "authorization", "credential", "credentials"),
    *("cookie", "cookies", "sessionid", "connectionstring", "accesskey", "accesskeyid", "secretkey", "apikey"),
    *("appkey", "applicationkey", "routingkey", "integrationkey", "servicekey", "pagerdutykey", "privatekey"),
    *("signingkey", "secretstring", "secretbinary", "accountkey"),
)
FORMS = ("hash", "value", "text", "string", "plain", "plaintext", "base64", "encrypted")  # a secret's, behind its name
SIGNED = ("sig", "signature", "xamzsignature", "key", "code", "auth", "jwt")  # parameters of URLs besides
# Whatever is redacted has one of these in it; most texts have none, and are dealt with by looking for them.
SIGNS = (
    *("token", "pass", "pwd", "secret", "authorization", "credential", "cookie", "sessionid"),
    *("connectionstring", "accesskey", "apikey", "appkey", "applicationkey", "routingkey", "integrationkey"),
    *("servicekey", "pagerdutykey", "hooksslack", "hookszapier", "webhook", "eventspagerduty", "privatekey"),
    *("signingkey", "accountkey", "bearer", "basic", "akia", "asia", "ghp", "gho", "ghu", "ghs", "ghr"),
    *("githubpat", "glpat", "xox", "sklive", "rklive", "eyj", "sig=", "signature=", "key=", "code=", "auth=", "jwt="),
    *("npm", "aiza", "skant", "skproj", "sksvcacct", "mysql", "mariadb", "%2fbot"),
    *("@", "%40", "%3d", "\\u00"),  # an escape may hide a letter of any of them
)
EXACTLY = ("SG.", "/bot", ":AA")  # the same, as written
BETWEEN = str.maketrans("", "", "_-. ")
NAMES = frozenset({"name", "key", "parametername", "parameterkey", "variable"})  # they say what VALUES beside them are
VALUES = frozenset({"value", "values", "parametervalue"})
FLAG = re.compile(r"--?[A-Za-z][\w.-]{0,80}")  # an argument that says what the next one is
LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
ARGUMENTS_END = frozenset("]{}:")
CLIENT = re.compile(r"(?:.*/)?(?:mysql\w*|mariadb[\w-]*|sshpass)")  # its password stands right behind `-p`
WRAPPED = re.compile(r'\{\s*"[^"]*"\s*:\s*(?P<name>"(?:[^"\\]|\\.)*")\s*\}', re.DOTALL)
IN_PAIRS = re.compile(r"[\[,]\s*\[\s*$")
COMMA = re.compile(r"\s*,\s*")
CLOSED = re.compile(r"\s*\]")
ARGUMENT = re.compile(r'(?P<between>\s*,\s*)"(?!-)(?:[^"\\]|\\.)+"(?!\s*:)', re.DOTALL)
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}]', re.DOTALL)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
# `pass` alone or as a word of a key, not the end of one: bypass and compass are no passwords.
PASS = re.compile(r"(?:(?:^|[^A-Za-z])(?:(?i:pg|db|my|user|smtp))?(?i:pass)|[a-z0-9]Pass)$")
COLON = re.compile(r"\s*:\s*")
NOTHING = frozenset({"null", "true", "false", '""', "[]", "{}"})
AGAIN = json.JSONDecoder()

KEY = r"(?:{})".format("|".join("[_. -]?".join(key) if key.endswith("key") else key for key in sorted(SECRET_KEYS)))
KEY = rf"{KEY}(?:[_.-]?(?:{'|'.join(sorted(FORMS, reverse=True))}))?"
INNER = r"[^\[\](){}]"
END = r"(?:[\])}]|\Z)"
OBJECT = (
    rf"[\[({{](?:{INNER}|[\[({{]{INNER}{{0,300}}{END}){{0,300}}{END}|[\[({{][^\r\n]*"  # deeper ones with their line
)
VALUE = rf"(?:{OBJECT}|(?:\"[^\"]*\"|'[^']*')[^\s,;&\"'<>)}}\]]*|[\"']?[^\s,;&\"'<>)}}\]]+)"
ENCODED = re.compile(r"[A-Za-z0-9_.~+*!(),;:@/$%-]{4,}")
ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
RAW = ":/,;@$!*()"  # what only some encoders encode
# A password may hold an encoded `@`, which no longer ends where the password does once it is decoded.
USER = re.compile(r"(?i)(?P<before>[a-z][a-z0-9+.-]{1,20}://)[^\s/?#\"'<>]{1,500}@")
LAYERS = 4  # of percent-encoding that are looked under
Replace = str | Callable[[re.Match[str]], str]


def redacted(text: str) -> str:
    """The text without what is secret in it: the very same text where there is nothing."""
    if not _suspicious(text):
        return text
    return _of_json(text) if _is_json(text) else _of_prose(text)


def _suspicious(text: str) -> bool:
    squeezed = text.lower().replace("_", "").replace("-", "").replace(".", "").replace(" ", "")
    return any(sign in squeezed for sign in SIGNS) or any(sign in text for sign in EXACTLY)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _of_json(text: str, layers: int = LAYERS) -> str:
    """Literal by literal, so that whatever is no secret stays as it was written."""
    named = _named(text) if "alue" in text else frozenset()
    objects: list[int] = []
    parts: list[str] = []
    place, client = 0, False  # whether the arguments are those of such a client
    while token := TOKEN.search(text, place):
        parts.append(between := text[place : token.start()])
        client = client and not ARGUMENTS_END.intersection(between)
        place = token.end()
        colon = COLON.match(text, place)
        if _moved(objects, token):
            parts.append(token[0])
        elif colon and _redacts(key := _said(token[0]), beside=objects[-1] in named):
            _, place = AGAIN.raw_decode(text, colon.end())
            value = text[colon.end() : place]
            parts += (token[0], colon[0], value if _nothing(key, value) else f'"{REDACTED}"')
        elif FLAG.fullmatch(said := _said(token[0])) and _secret(said) and (argument := ARGUMENT.match(text, place)):
            parts += (token[0], argument["between"], f'"{REDACTED}"')
            place = argument.end()
        elif _secret(said) and (end := _paired(text, token)):
            parts += (token[0], text[place : end[0]], f'"{REDACTED}"')
            place = end[1]
        elif client and said.startswith("-p") and len(said) > 2:
            parts.append(f'"-p{REDACTED}"')
        else:
            client = client or bool(CLIENT.fullmatch(said))
            parts.append(_of_literal(token[0], layers))
    return "".join([*parts, text[place:]])


def _named(text: str) -> frozenset[int]:
    """Where the objects begin that name a secret whose value is beside its name."""
    objects: list[int] = []
    found, otherwise, inside = set[int](), set[int](), dict[int, int]()
    for token in TOKEN.finditer(text):
        if _moved(objects, token):
            if token[0] == "{" and len(objects) > 1:
                inside[objects[-1]] = objects[-2]
            continue
        if not (colon := COLON.match(text, token.end())) or _squeezed(_said(token[0])) not in NAMES:
            continue
        wrapped = WRAPPED.match(text, colon.end())
        name = LITERAL.match(wrapped["name"]) if wrapped else LITERAL.match(text, colon.end())
        (found if name and _secret(_said(name[0])) else otherwise).add(objects[-1])
    return frozenset(found | {o for o, around in inside.items() if around in found and o not in otherwise})


def _paired(text: str, token: re.Match[str]) -> tuple[int, int] | None:
    """Where the second of a pair begins and ends whose first is the token: where pairs stand in a list, and that it is
    no name of a secret itself, as in a list of lists of names."""
    before = text[max(0, token.start() - 200) : token.start()]
    comma = COMMA.match(text, token.end()) if IN_PAIRS.search(before) else None
    if comma is None:
        return None
    value, end = AGAIN.raw_decode(text, comma.end())
    names = isinstance(value, str) and _secret(value)
    return (comma.end(), end) if CLOSED.match(text, end) and value and not names else None


def _moved(objects: list[int], token: re.Match[str]) -> bool:
    """Whether the token begins or ends an object; `objects` are the places where the open ones begin."""
    if token[0] == "{":
        objects.append(token.start())
    elif token[0] == "}":
        objects.pop()
    else:
        return False
    return True


def _redacts(key: str, *, beside: bool) -> bool:
    return _secret(key) or (beside and _squeezed(key) in VALUES)


def _nothing(key: str, value: str) -> bool:
    """Whether there is no secret in the value: it is empty, or a number of things (`tokens`, `pass`)."""
    name = key.lower()
    counts = name == "pass" or (name.endswith("s") and not name.endswith("pass"))
    return value in NOTHING or (counts and bool(NUMBER.fullmatch(value)))


def _of_literal(literal: str, layers: int) -> str:
    said = _said(literal)
    after = _of_text(said, layers)
    return literal if after == said else json.dumps(after)


def _said(literal: str) -> str:
    found: str = json.loads(literal, strict=False) if "\\" in literal else literal[1:-1]
    return found


def _squeezed(key: str) -> str:
    return key.lower().translate(BETWEEN)


def _secret(key: str) -> bool:
    name = _squeezed(key)
    formless = next((name.removesuffix(form) for form in FORMS if name.endswith(form)), name)
    names = (name, name.removesuffix("s"), formless)
    return any(one.endswith(SECRET_KEYS) for one in names) or bool(PASS.search(key))


def _of_text(text: str, layers: int) -> str:
    return _of_json(text, layers) if text.lstrip()[:1] in ("{", "[") and _is_json(text) else _of_prose(text, layers)


def _of_prose(text: str, layers: int = LAYERS) -> str:
    if not _suspicious(text):
        return text
    text = USER.sub(rf"\g<before>{REDACTED}@", text)
    if layers and "%" in text:
        text = ENCODED.sub(lambda found: _decoded(found[0], layers - 1), text)
    for pattern, replace in PROSE:
        text = pattern.sub(replace, text)
    return text


def _decoded(encoded: str, layers: int) -> str:
    """What is percent-encoded, redacted under its encoding; it is written anew only where there was a secret in it."""
    if not ESCAPE.search(encoded):
        return encoded
    said = unquote_plus(encoded, errors="surrogateescape")
    after = _of_text(said, layers)
    if after == said:
        return encoded
    written = quote_plus if "+" in encoded else quote
    return written(after, safe="".join(c for c in RAW if c in encoded), errors="surrogateescape")


def _parameter(found: re.Match[str]) -> str:
    name = found["name"]
    secret = _squeezed(name) in SIGNED or _secret(name)
    return f"{found['before']}{REDACTED}" if secret and not _nothing(name, found["value"]) else found[0]


def _valued(found: re.Match[str]) -> str:
    return found[0] if _nothing(found["key"], found["value"]) else f"{found['before']}{REDACTED}"


def _told(found: re.Match[str]) -> str:
    """What is said in a sentence: a secret where it is no word or number (`is expired`, `is 512 bytes long`)."""
    value = found["value"].rstrip(".")
    letters, digits = any(c.isalpha() for c in value), any(c.isdigit() for c in value)
    looks = len(value) >= 6 and letters and (digits or any(c in "!@#$^*+" for c in value))
    known = value.lower().startswith(("arn:", "http"))
    return f"{found['before']}{REDACTED}{found['value'][len(value) :]}" if looks and not known else found[0]


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
    (re.compile(r"(?P<before>[?&](?P<name>[\w.%~-]{1,80})=)(?P<value>[^&#\s\"'<>]+)"), _parameter),
    (re.compile(r"(?i)(?P<before>\bbasic\s{1,3})(?P<value>[A-Za-z0-9+/_-]{4,}={0,2})"), _basic),
    (re.compile(r"(?i)(?P<before>\bbearer\s{1,3})(?P<value>[A-Za-z0-9._~+/=-]{8,})"), _bearer),
    (
        re.compile(r"(?i)(?P<before>(?:authorization|cookie)[\"']?\s{0,3}[=:]\s{0,3}[\"']?)[^\r\n\"']+"),
        rf"\g<before>{REDACTED}",
    ),
    (
        re.compile(rf"(?P<before>(?P<key>{KEY}s?)[\"']?\s{{0,3}}[=:]\s{{0,3}})(?P<value>{VALUE})", re.IGNORECASE),
        _valued,
    ),
    (
        re.compile(
            rf"(?P<before>(?<![\w-])--?[\w.-]{{0,60}}(?P<key>{KEY})\s{{1,3}})(?![-=:])(?P<value>{VALUE})",
            re.IGNORECASE,
        ),
        _valued,
    ),
    (
        re.compile(
            r"(?P<before>(?P<key>(?:[_.-]|(?<![A-Za-z_.-]))(?i:pg|db|my|user|smtp)?(?i:pass)|(?<=[a-z0-9])Pass)"
            rf"(?:=|[\"']\s{{0,3}}[=:]\s{{0,3}}))(?P<value>{VALUE})"
        ),
        _valued,
    ),
    (
        re.compile(
            rf"(?P<before>\b(?:name|key)[\"']?\s{{0,3}}[=:]\s{{0,3}}[\"']?[\w.-]{{0,80}}(?P<key>{KEY}s?)[\"']?[\s,]{{1,20}}"
            rf"[\"']?value[\"']?\s{{0,3}}[=:]\s{{0,3}})(?P<value>{VALUE})",
            re.IGNORECASE,
        ),
        _valued,
    ),
    (
        re.compile(
            r"(?i)(?P<before>\b(?:hooks\.slack\.com/(?:services|workflows|triggers)|hooks\.zapier\.com/hooks/catch"
            r"|webhook\.office\.com/webhookb2|outlook\.office(?:365)?\.com/webhook|discord(?:app)?\.com/api/webhooks"
            r"|events\.(?:eu\.)?pagerduty\.com/(?:integration|x-ere))/)[^\s?#\"'<>|)]+"
        ),
        rf"\g<before>{REDACTED}",
    ),
    (
        re.compile(
            rf"(?P<before>{KEY}[\"']?\s{{1,3}}(?:is|was)(?:\s(?:now|set\sto|changed\sto))?:?\s{{1,3}})(?P<value>{VALUE})",
            re.IGNORECASE,
        ),
        _told,
    ),
    (
        re.compile(
            rf"(?P<before>\b(?:mysql\w*|mariadb[\w-]{{0,20}}|sshpass)\s(?:[^\n|;&]{{0,300}}?\s)?-p)(?P<value>{VALUE})"
        ),
        rf"\g<before>{REDACTED}",
    ),
    (re.compile(r"(?P<before>/bot)\d{6,12}:[\w-]{20,}"), rf"\g<before>{REDACTED}"),
    (re.compile(r"\b\d{6,12}:AA[\w-]{33}(?![\w-])"), REDACTED),
    (re.compile(r"\b(?:npm_[A-Za-z0-9]{36}|AIza[\w-]{35})(?![\w-])"), REDACTED),
    (re.compile(r"\b(?:sk-(?:ant|proj|svcacct)-[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,})"), REDACTED),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), REDACTED),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-)[\w-]{20,}"), REDACTED),
    (re.compile(r"\b(?:xox[a-z]-|[sr]k_live_)[\w-]{10,}"), REDACTED),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), REDACTED),
)

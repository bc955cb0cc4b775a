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

import json
import re
from urllib.parse import quote, quote_plus, unquote_plus

from incident_bot.domain.secret_names import REDACTED, nothing, secret, squeezed, suspicious
from incident_bot.domain.secret_text import PROSE

__all__ = ["REDACTED", "redacted"]

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
COLON = re.compile(r"\s*:\s*")
AGAIN = json.JSONDecoder()
ENCODED = re.compile(r"[A-Za-z0-9_.~+*!(),;:@/$%-]{4,}")
ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
RAW = ":/,;@$!*()"  # what only some encoders encode
# A password may hold an encoded `@`, which no longer ends where the password does once it is decoded.
USER = re.compile(r"(?i)(?P<before>[a-z][a-z0-9+.-]{1,20}://)[^\s/?#\"'<>]{1,500}@")
LAYERS = 4  # of percent-encoding that are looked under


def redacted(text: str) -> str:
    """The text without what is secret in it: the very same text where there is nothing."""
    if not suspicious(text):
        return text
    return _of_json(text) if _is_json(text) else _of_prose(text)


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
            parts += (token[0], colon[0], value if nothing(key, value) else f'"{REDACTED}"')
        elif FLAG.fullmatch(said := _said(token[0])) and secret(said) and (argument := ARGUMENT.match(text, place)):
            parts += (token[0], argument["between"], f'"{REDACTED}"')
            place = argument.end()
        elif secret(said) and (end := _paired(text, token)):
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
        if not (colon := COLON.match(text, token.end())) or squeezed(_said(token[0])) not in NAMES:
            continue
        wrapped = WRAPPED.match(text, colon.end())
        name = LITERAL.match(wrapped["name"]) if wrapped else LITERAL.match(text, colon.end())
        (found if name and secret(_said(name[0])) else otherwise).add(objects[-1])
    return frozenset(found | {o for o, around in inside.items() if around in found and o not in otherwise})


def _paired(text: str, token: re.Match[str]) -> tuple[int, int] | None:
    """Where the second of a pair begins and ends whose first is the token: where pairs stand in a list, and that it is
    no name of a secret itself, as in a list of lists of names."""
    before = text[max(0, token.start() - 200) : token.start()]
    comma = COMMA.match(text, token.end()) if IN_PAIRS.search(before) else None
    if comma is None:
        return None
    value, end = AGAIN.raw_decode(text, comma.end())
    names = isinstance(value, str) and secret(value)
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
    return secret(key) or (beside and squeezed(key) in VALUES)


def _of_literal(literal: str, layers: int) -> str:
    said = _said(literal)
    after = _of_text(said, layers)
    return literal if after == said else json.dumps(after)


def _said(literal: str) -> str:
    found: str = json.loads(literal, strict=False) if "\\" in literal else literal[1:-1]
    return found


def _of_text(text: str, layers: int) -> str:
    return _of_json(text, layers) if text.lstrip()[:1] in ("{", "[") and _is_json(text) else _of_prose(text, layers)


def _of_prose(text: str, layers: int = LAYERS) -> str:
    if not suspicious(text):
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

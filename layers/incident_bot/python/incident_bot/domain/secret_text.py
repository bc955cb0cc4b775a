"""Secrets in a text: what stands behind their names, and what shows by its form whose it is."""

import base64
import binascii
import re
from collections.abc import Callable

from incident_bot.domain.secret_names import FORMS, REDACTED, SECRET_KEYS, SIGNED, nothing, secret, squeezed

Replace = str | Callable[[re.Match[str]], str]
KEY = r"(?:{})".format("|".join("[_. -]?".join(key) if key.endswith("key") else key for key in sorted(SECRET_KEYS)))
KEY = rf"{KEY}(?:[_.-]?(?:{'|'.join(sorted(FORMS, reverse=True))}))?"
INNER = r"[^\[\](){}]"
END = r"(?:[\])}]|\Z)"
# Brackets in brackets; deeper ones with the rest of their line.
OBJECT = rf"[\[({{](?:{INNER}|[\[({{]{INNER}{{0,300}}{END}){{0,300}}{END}|[\[({{][^\r\n]*"
VALUE = rf"(?:{OBJECT}|(?:\"[^\"]*\"|'[^']*')[^\s,;&\"'<>)}}\]]*|[\"']?[^\s,;&\"'<>)}}\]]+)"


def _parameter(found: re.Match[str]) -> str:
    name = found["name"]
    proves = squeezed(name) in SIGNED or secret(name)
    return f"{found['before']}{REDACTED}" if proves and not nothing(name, found["value"]) else found[0]


def _valued(found: re.Match[str]) -> str:
    return found[0] if nothing(found["key"], found["value"]) else f"{found['before']}{REDACTED}"


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

"""Foreign text made harmless: what an alert says is shown as text in every medium, and does nothing in any of them.

Whatever comes from an alert may try to forge a line, hide behind invisible or right-to-left characters, mention a
channel, become a link or a tag. `line` and `plain` remove what cannot be seen and deaden mentions and links (and may be
applied twice without harm); `html`, `markdown` and `mrkdwn` also escape the marks of their medium.
"""

import html as _html
import re
import unicodedata

LINE_LIMIT = 300
TEXT_LIMIT = 8000
MARKS_IN_A_ROW = 3  # combining marks on one letter; more of them smear over the lines around

_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})  # controls, bidi and zero width, surrogates, unassigned
_UNSEEN = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")  # letters and marks that draw nothing
_VARIATIONS = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF), (0x180B, 0x180F))  # selectors, in which bytes can be smuggled
_TAME = re.compile(r"[A-Za-z0-9]+(?:[ _/-][A-Za-z0-9]+)*")  # as most names are: nothing to be done
_SCHEMES = re.compile(r"\b(javascript|vbscript|data|mailto|tel|sms|file|callto|skype)\s*:(?=\S)", re.IGNORECASE)
_WWW = re.compile(r"\bwww\.", re.IGNORECASE)
_MARKDOWN_MARKS = re.compile(r"([\\`*\[\]|~#$!])")
_MARKDOWN_START = re.compile(r"^([-+=:]|\d+(?=[.)](?:\s|$)))")
_OUTER_UNDERSCORES = re.compile(r"(?<!\w)_+|_+(?!\w)")  # those inside a word emphasise nothing
_SLACK_LOOKALIKES = str.maketrans({"*": "\u2217", "`": "\u02cb", "~": "\u223c"})


def plain(text: str, limit: int = TEXT_LIMIT) -> str:
    """Text of several lines, at most `limit` characters, in which nothing is hidden and no mention or link is alive."""
    lines = text[: 8 * limit].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return _bounded("\n".join(_dead(_seen(line)).rstrip() for line in lines).strip("\n"), limit)


def line(text: str, limit: int = LINE_LIMIT) -> str:
    """The same on one line, so that foreign text cannot forge a line of its own."""
    if len(text) <= limit and _TAME.fullmatch(text):
        return text
    spaced = re.sub(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+", " ", text[: 8 * limit])
    return _bounded(" ".join(_dead(_seen(spaced)).split()), limit)


def legible(text: str) -> str:
    """The text as it is, but for what cannot be seen; several lines stay several."""
    if text.isascii() and text.isprintable():
        return text
    return "\n".join(_seen(each) for each in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def html(text: str, limit: int = TEXT_LIMIT) -> str:
    """For HTML text and quoted attribute values."""
    return _html.escape(plain(text, limit), quote=True)


def markdown(text: str, limit: int = LINE_LIMIT) -> str:
    """For one place in GitHub's Markdown (a table's cell, a list's entry, a heading): one line without live marks."""
    entities = _html.escape(line(text, limit), quote=False)
    escaped = _MARKDOWN_MARKS.sub(r"\\\1", entities)
    escaped = _OUTER_UNDERSCORES.sub(lambda run: "\\_" * len(run.group()), escaped)
    return _MARKDOWN_START.sub(_escaped_start, escaped)


def mrkdwn(text: str, limit: int = TEXT_LIMIT) -> str:
    """For Slack's mrkdwn, which can escape only `& < >`; the other marks become letters that look like them."""
    looks_alike = plain(text, limit).translate(_SLACK_LOOKALIKES)
    return _html.escape(_OUTER_UNDERSCORES.sub(lambda run: "\uff3f" * len(run.group()), looks_alike), quote=False)


def _escaped_start(found: re.Match[str]) -> str:
    start = found.group(1)
    # A number keeps its digits: the backslash has to come before the point that would make it a list.
    return f"\\{start}" if not start.isdigit() else f"{start}\\"


def _seen(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if category in ("Zs", "Zl", "Zp") or character == "\t":
            kept.append(" ")
            marks = 0
            continue
        if category in _UNSEEN_CATEGORIES or character in _UNSEEN or _is_variation(character):
            continue
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= MARKS_IN_A_ROW:
            kept.append(character)
    return "".join(kept)


def _is_variation(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _VARIATIONS)


def _dead(text: str) -> str:
    """A mention needs its @, a link its scheme: both stay readable and no longer work."""
    without_schemes = _SCHEMES.sub(r"\1[:]", text.replace("://", "[:]//"))
    return _WWW.sub(lambda found: found.group()[:-1] + "[.]", without_schemes).replace("@", "\uff20")


def _bounded(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "\u2026"

"""Tags and names as monitoring vendors write them: pairs in one string, or lists of strings that may repeat."""

import re

TAGS = 64
LONG = 500
CONTEXT = re.compile(r"^\[[^\]]*\]")  # where Dynatrace took a tag from


def tags_of(found: object) -> dict[str, str]:
    """`service:checkout, env:production` (or a list of such) by key: the first of each key, none without a value."""
    listed = found.split(",") if isinstance(found, str) else found if isinstance(found, list) else []
    tags: dict[str, str] = {}
    for tag in listed[:TAGS]:
        key, _, value = CONTEXT.sub("", tag.strip()).partition(":") if isinstance(tag, str) else ("", "", "")
        if key and value and len(key) + len(value) <= LONG:
            tags.setdefault(key, value)
    return tags


def names_of(found: object) -> tuple[str, ...]:
    """The distinct strings of a list, or the one string that there is."""
    listed = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return tuple(dict.fromkeys(name[:LONG] for name in listed[:TAGS] if isinstance(name, str) and name))

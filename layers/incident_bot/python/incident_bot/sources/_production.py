"""Production: whether an environment is it, where nothing but its name says so."""

import re

PRODUCTION = re.compile(
    r"(?:.*[-./])?(?<!(?:non|pre)[-./])(?:production|prod|live)(?:[-./].*)?", re.IGNORECASE | re.DOTALL
)  # as a part of the name


def is_production(name: str) -> bool:
    """Whether an environment of that name is production: `prod-eu` is, `preprod` and `non-prod` are not."""
    return bool(PRODUCTION.fullmatch(name))

"""Secrets out of SSM SecureStrings: `NAME` and, while a key rotates, `NAME.previous`; cached for five minutes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from incident_bot.aws.failures import translated
from incident_bot.domain.errors import NotFound

FRESH = timedelta(minutes=5)


class SsmSecrets:
    """`Secrets` below one prefix of parameter names."""

    def __init__(self, connect: Callable[[], Any], prefix: str, now: Callable[[], datetime]) -> None:
        self._connect = connect
        self._prefix = prefix.rstrip("/")
        self._now = now
        self._known: dict[str, tuple[datetime, tuple[str, ...]]] = {}

    def values(self, name: str) -> tuple[str, ...]:
        read_at, values = self._known.get(name, (None, ()))
        if read_at is None or self._now() - read_at >= FRESH:
            values = self._read(name)
            self._known[name] = self._now(), values
        return values

    def _read(self, name: str) -> tuple[str, ...]:
        newest = f"{self._prefix}/{name}"
        wanted = [newest, f"{newest}.previous"]
        with translated(f"reading the parameter {newest}"):
            answer = self._connect().get_parameters(Names=wanted, WithDecryption=True)
        found = {parameter["Name"]: parameter["Value"] for parameter in answer["Parameters"]}
        if newest not in found:
            raise NotFound(f"there is no parameter {newest}")
        return tuple(found[each] for each in wanted if each in found)

"""Secrets out of SSM SecureStrings: `NAME` and, while a key rotates, `NAME.previous`; cached for five minutes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from incident_bot.aws.failures import code, translated
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
        values = [self._parameter(each) for each in (newest, f"{newest}.previous")]
        if values[0] is None:
            raise NotFound(f"there is no parameter {newest}")
        return tuple(value for value in values if value is not None)

    def _parameter(self, name: str) -> str | None:
        # One by one: the emulator authorizes GetParameters on everything or not at all.
        with translated(f"reading the parameter {name}"):
            try:
                return str(self._connect().get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
            except ClientError as error:
                if code(error) == "ParameterNotFound":
                    return None
                raise

"""AWS clients, each created when it is first needed: a function pays only for the services it calls.

They are botocore's, which are the ones that boto3 hands out: boto3 itself would cost every cold start a third more.
"""

from collections.abc import Mapping
from threading import Lock
from typing import Any

from botocore.config import Config
from botocore.session import get_session

# A call that hangs must not eat the time of the page: connect and read fast or fail, and let the caller decide.
CONFIG = Config(
    connect_timeout=1,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    user_agent_extra="incident-bot",
)
# For what is nice to have, after the work that matters: one quick attempt.
HASTY = Config(
    connect_timeout=1,
    read_timeout=1,
    retries={"mode": "standard", "total_max_attempts": 1},
    user_agent_extra="incident-bot",
)


class AwsClients:
    """`Clients` under one set of credentials: the function's own, or the temporary ones that STS gave."""

    def __init__(self, region: str, credentials: Mapping[str, Any] | None = None, config: Config = CONFIG) -> None:
        self._session = get_session()
        self._region = region
        self._config = config
        self._credentials = dict(credentials or {})
        self._clients: dict[str, Any] = {}
        self._creating = Lock()  # enrichment asks from several threads, and a session is not made for that

    def client(self, service: str) -> Any:
        with self._creating:
            if service not in self._clients:
                self._clients[service] = self._session.create_client(
                    service, region_name=self._region, config=self._config, **self._credentials
                )
            return self._clients[service]

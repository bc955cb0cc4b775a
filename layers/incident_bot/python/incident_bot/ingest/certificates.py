"""Certificates that SNS signs with, fetched once by each warm sandbox: they change about once a year."""

from incident_bot.domain.errors import Unavailable
from incident_bot.world import Http

KEPT = 8  # of one region there are two while they rotate
SECONDS = 2.0


class Certificates:
    """Fetches certificates from addresses that its caller has judged, and keeps the latest of them."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._known: dict[str, bytes] = {}

    def fetch(self, url: str) -> bytes:
        """The PEM behind that URL; Unavailable where it cannot be had now."""
        if url not in self._known:
            answer = self._http.get(url, timeout_seconds=SECONDS)
            if answer.status != 200:
                raise Unavailable(f"the certificate of SNS could not be had: {answer.status}")
            self._known = dict([*self._known.items(), (url, answer.body)][-KEPT:])
        return self._known[url]

"""What a stand-in receiver got, kept in order as JSON lines so that it can still be read after the receiver stopped."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]


class Ledger:
    """The records of one channel, in memory and on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._records: list[Record] = self._load()

    def _load(self) -> list[Record]:
        if not self.path.exists():
            return []
        whole, newline, torn = self.path.read_text().rpartition("\n")
        if torn:  # the last process died while writing; the next line must not be glued to the rest of this one
            self.path.write_text(whole + newline)
        return [json.loads(line) for line in whole.splitlines()]

    def add(self, record: Record) -> None:
        """Append one record; on disk before it is shown."""
        with self._lock:
            with self.path.open("a") as file:
                file.write(json.dumps(record) + "\n")
            self._records.append(record)

    def all(self) -> list[Record]:
        """Every record so far, oldest first."""
        with self._lock:
            return list(self._records)

    def clear(self) -> int:
        """Forget everything; how many records there were."""
        with self._lock:
            count = len(self._records)
            self.path.write_text("")
            self._records = []
            return count

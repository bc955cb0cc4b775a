"""Is what reached the deployed bot exported as a recording, without its secrets, that replays to the same incidents?"""

import json
from pathlib import Path
from typing import Any

from tests.scenarios.driving import Stack, eventually, now, unique

SECRET = "hunter2hunter2hunter2"


def test_what_came_in_is_exported_and_replays_to_as_many_incidents(stack: Stack, tmp_path: Path) -> None:
    since, services = now(), [unique("recorded"), unique("recorded")]
    for service in services:
        for time in ("first", "again"):
            assert stack.alert(service, labels={"db_password": SECRET}, summary=time).status_code == 202
    broken = unique("broken").encode()
    assert stack.webhook("generic", b"{ not JSON " + broken).status_code == 400
    ids = {stack.incident(service)["id"] for service in services}

    def ours() -> list[str]:
        """The lines about these services, once all of them are there: others are sent meanwhile by other scenarios."""
        out = tmp_path / "export.jsonl"
        ran = stack.command("export", "--since", since, "-o", str(out), "--json")
        assert ran.returncode == 0, ran.stderr
        lines = [
            line for line in out.read_text().splitlines() if any(of in line for of in (*services, broken.decode()))
        ]
        return lines if len(lines) == 5 else []

    lines = eventually(ours, "the recording")
    assert SECRET not in "".join(lines)
    recording = tmp_path / "ours.jsonl"
    recording.write_text("\n".join(lines))
    ran = stack.command("replay", str(recording), "--config", str(stack.folder / "config"), "--json")
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    assert (found["deliveries"], found["incidents"], found["quarantined"]) == (5, len(ids), 1)
    told = [entry["text"] for entry in stack.get("/v1/audit/controls")["entries"]]
    assert any("recorded deliveries exported" in text for text in told)
    assert stack.command("audit", "verify", "controls").returncode == 0

"""PagerDuty as it deduplicates: the stand-in that says who was woken, when and for what."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from incident_bot.domain.errors import Unavailable
from incident_bot.virtual.surroundings import Request
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Response


class Woken(NamedTuple):
    """One person woken: a trigger that opened an alert."""

    at: datetime
    key: str
    purpose: str
    to: str
    text: str


@dataclass(slots=True)
class Pager:
    """One alert per team and dedup_key until it is resolved; every open is somebody woken. It may be down, or hang."""

    open: dict[str, str] = field(default_factory=dict)  # dedup_key -> state
    woken: list[Woken] = field(default_factory=list)
    down: bool = False
    hangs: bool = False
    asked: int = 0

    def take(self, world: VirtualWorld, request: Request) -> Response:
        """Answer one event; a hanging provider answers nothing until the sender's patience is over."""
        self.asked += 1
        if self.hangs:
            world.clock.advance(request.timeout_seconds)
        if self.down or self.hangs:
            raise Unavailable(f"PagerDuty did not answer within {request.timeout_seconds:g} s")
        body = request.json
        key, action = body["dedup_key"], body["event_action"]
        if action == "trigger":
            if key not in self.open:
                said = body["payload"]["custom_details"]
                self.woken.append(Woken(world.now(), key, body["payload"]["class"], said["to"], said["message"]))
            self.open[key] = "triggered"
        elif action == "resolve":
            self.open.pop(key, None)
        elif key in self.open:
            self.open[key] = "acknowledged"
        return Response(202, json.dumps({"status": "success", "dedup_key": key}).encode())

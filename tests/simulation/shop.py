"""A production with CloudWatch alarms on it: what ails it makes it sick, and only what cures that makes it well.

Its alarms read its metrics as anybody would, and tell of their changes as CloudWatch does, by SNS.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from incident_bot.domain.clock import rfc3339
from incident_bot.domain.team import Playbook, Team
from incident_bot.virtual.clock import VirtualClock
from tests.remediating import BAD, CELLS, FUNCTION, PERIOD, Production, the_team

CANARY, REST = CELLS[0], CELLS[1]
TWO = (CANARY, REST)
ARN = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:{}"
TOPIC = "arn:aws:sns:us-east-1:000000000000:alarms"
WELL, BAD_DEPLOY, STORM, OUTAGE = "well", "bad deploy", "storm", "outage"
CURED_BY: Mapping[str, Callable[["Shop", str], bool]] = {
    WELL: lambda shop, target: True,
    BAD_DEPLOY: lambda shop, target: shop.runs[target] != BAD,
    STORM: lambda shop, target: shop.reserved is not None,
    OUTAGE: lambda shop, target: False,
}


@dataclass(frozen=True, slots=True)
class Effect:
    """One mutating call that changed something: what it made of which target."""

    at: datetime
    target: str
    made: str | int | None


class Shop(Production):
    """`orders` runs in cells, `checkout` is a function. `ails` says what is wrong with each of them."""

    def __init__(self, clock: VirtualClock, cells: Sequence[str] = TWO) -> None:
        self.clock = clock
        self.ails = {"orders": WELL, "checkout": WELL}
        super().__init__(clock, cells)
        self.alarms = {"orders-errors": "OK", "checkout-throttles": "OK"}
        self.effects: list[Effect] = []
        self.denials = 0
        self.on_effect: Callable[[Effect], None] = lambda effect: None
        self.before: Mapping[str, str | int | None] = {t: self.standing(t) for t in (*self.runs, FUNCTION)}
        self.sick = self._is_sick
        self._evaluated_at = clock.now()
        self._history.clear()
        self.observe()

    def fall_ill(self, service: str, ailment: str) -> None:
        """From now on that is wrong with it."""
        self.ails[service] = ailment
        self.observe()

    def targets(self, alarm: str) -> tuple[str, ...]:
        """What an alarm looks at."""
        return tuple(self.runs) if alarm == "orders-errors" else (FUNCTION,)

    def next_at(self) -> datetime:
        """When the next period ends."""
        return self._evaluated_at + timedelta(seconds=PERIOD)

    def changes(self) -> list[dict[str, Any]]:
        """Evaluate the alarms over every period that has ended since, and notify as SNS does of each change."""
        found = []
        while self.next_at() <= self._clock.now():
            started, self._evaluated_at = self._evaluated_at, self.next_at()
            for alarm, was in list(self.alarms.items()):
                sick = any(self._was_sick(target, started) for target in self.targets(alarm))
                self.alarms[alarm] = "ALARM" if sick else "OK"
                if self.alarms[alarm] != was:
                    found.append(self._notification(alarm, self._evaluated_at))
        return found

    def describe_alarms(self, *, AlarmNames: Sequence[str]) -> Any:  # noqa: N803 - as the SDK spells it
        """As CloudWatch answers about metric alarms."""
        known = [name for name in AlarmNames if name in self.alarms]
        return {"MetricAlarms": [{"AlarmArn": ARN.format(n), "StateValue": self.alarms[n]} for n in known]}

    def standing(self, target: str) -> str | int | None:
        """What the bot's actions may have changed of a target."""
        return self.runs.get(target, self.reserved)

    def _is_sick(self, target: str) -> bool:
        service = "orders" if target in self.runs else "checkout"
        return not CURED_BY[self.ails[service]](self, target)

    def _answer(self, operation: str, target: str) -> None:
        self.denials += bool({operation, target} & self.denied)
        super()._answer(operation, target)

    def _changed(self, operation: str, target: str) -> None:
        super()._changed(operation, target)
        effect = Effect(self._clock.now(), target, self.standing(target))
        self.effects.append(effect)
        self.on_effect(effect)

    def _notification(self, alarm: str, at: datetime) -> dict[str, Any]:
        service = alarm.partition("-")[0]
        message = {
            "AlarmName": alarm,
            "AlarmDescription": f"{service} is not well",
            "AWSAccountId": "000000000000",
            "NewStateValue": self.alarms[alarm],
            "NewStateReason": "Threshold Crossed: 1 datapoint",
            "StateChangeTime": rfc3339(at),
            "AlarmArn": ARN.format(alarm),
            "Trigger": {
                "MetricName": self.targets(alarm)[0],
                "Namespace": "Shop",
                "Dimensions": [{"name": "Service", "value": service}],
                "Period": PERIOD,
            },
        }
        number = f"{alarm}-{at:%H%M%S}"
        return {
            "Type": "Notification",
            "MessageId": number,
            "TopicArn": TOPIC,
            "Message": json.dumps(message),
            "Timestamp": rfc3339(at),
        }


def a_shop_team(*playbooks: Playbook, cells: Sequence[str] = TWO, depends: bool = False, **limits: Any) -> Team:
    """The team of `tests.remediating`, both of whose services page; the function may depend on the cells."""
    team = the_team(*playbooks, cells=cells, **limits)
    checkout = replace(team.services["checkout"], depends_on=("orders",) if depends else ())
    orders = replace(team.services["orders"], tier=1)
    return replace(team, services={"orders": orders, "checkout": checkout})

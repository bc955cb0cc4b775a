"""Does CloudWatch's own opinion of an alarm reach us, and only of the alarm that was meant?"""

from typing import Any

import pytest

from incident_bot.plugins import source
from incident_bot.virtual.surroundings import MemoryClients

ARN = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:queue: old"


class Alarms:
    """CloudWatch with one alarm, as `describe_alarms` answers when it is not asked for composite ones."""

    def __init__(self, state: str, arn: str) -> None:
        self.alarm = {"AlarmName": "queue: old", "AlarmArn": arn, "StateValue": state}

    def describe_alarms(self, AlarmNames: list[str]) -> dict[str, Any]:  # noqa: N803 - as boto3 spells it
        return {"MetricAlarms": [self.alarm] if AlarmNames == [self.alarm["AlarmName"]] else [], "CompositeAlarms": []}


@pytest.mark.parametrize(
    ("state", "arn", "opinion", "why"),
    [
        ("ALARM", ARN, True, "it is in ALARM"),
        ("OK", ARN, False, "it is OK"),
        ("INSUFFICIENT_DATA", ARN, None, "no data is neither"),
        ("ALARM", ARN.replace("111122223333", "444455556666"), None, "an alarm of that name in another account"),
        ("ALARM", ARN.replace("eu-west-1", "eu-west-2"), None, "an alarm of that name in another region"),
    ],
)
def test_the_alarm_is_asked_by_its_arn(state: str, arn: str, opinion: bool | None, why: str) -> None:
    ask = source("cloudwatch").ask
    assert ask is not None

    assert ask(ARN, MemoryClients(cloudwatch=Alarms(state, arn))) is opinion, why


def test_an_alarm_that_is_gone_has_no_opinion() -> None:
    ask = source("cloudwatch").ask
    assert ask is not None

    assert ask(f"{ARN}er", MemoryClients(cloudwatch=Alarms("ALARM", ARN))) is None

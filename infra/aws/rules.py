"""What EventBridge starts: the sources that come by events feed the signals queue, and the clock wakes `sweep`."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from incident_bot.sources import Source
from infra.aws.functions import StageFunction
from infra.aws.naming import machines_prefix, named
from infra.aws.signals import Signals


class EventRules(Construct):
    """One rule for each pattern that a source declares, straight into the signals queue."""

    def __init__(self, scope: Construct, *, sources: Mapping[str, Source], signals: Signals) -> None:
        super().__init__(scope, "Events")
        for name, source in sorted(sources.items()):
            title = "".join(word.capitalize() for word in name.split("_"))
            for number, pattern in enumerate(source.event_patterns, 1):
                rule = events.Rule(
                    self,
                    f"{title}{number}",
                    description=f"Alerts of the source {name} ({source.reference})",
                    event_pattern=_pattern(self, pattern),
                )
                named(rule, f"{title}Rule{number if number > 1 else ''}")
                rule.add_target(targets.SqsQueue(signals.queue, dead_letter_queue=signals.dead))


class EachMinute(Construct):
    """The clock: `sweep` repairs what was missed, and sends the synthetic alert."""

    def __init__(self, scope: Construct, *, sweep: StageFunction, signals: Signals) -> None:
        super().__init__(scope, "EachMinute")
        rule = events.Rule(
            self,
            "Rule",
            description="Repairs what was missed and sends the synthetic alert.",
            schedule=events.Schedule.rate(Duration.minutes(1)),
        )
        named(rule, "EachMinuteRule")
        # The next minute comes anyway: trying an old one again would only run two at once.
        rule.add_target(
            targets.LambdaFunction(
                sweep.function,
                dead_letter_queue=signals.dead,
                max_event_age=Duration.minutes(1),
                retry_attempts=0,
            )
        )


def _pattern(scope: Construct, declared: Mapping[str, Any]) -> events.EventPattern:
    detail = dict(declared.get("detail", {}))
    if declared.get("source") == ["aws.states"]:
        # Our own executions that fail raise an alarm of ours; as alerts they would open incidents about themselves.
        detail["stateMachineArn"] = [{"anything-but": {"prefix": machines_prefix(Stack.of(scope))}}]
    return events.EventPattern(
        source=declared.get("source"),
        detail_type=declared.get("detail-type"),
        resources=declared.get("resources"),
        detail=detail or None,
    )

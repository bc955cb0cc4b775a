"""What EventBridge starts: the sources that come by events feed the signals queue, and the clock wakes `sweep`."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from incident_bot.sources import Source
from infra.aws.functions import StageFunction
from infra.aws.naming import machines_prefix, named
from infra.aws.signals import Signals


class EventRules(Construct):
    """One rule for each pattern that a source declares, straight into the signals queue.

    SQS takes at most 20 statements in a queue's policy, and a target of the CDK's own would add one for each rule.
    """

    def __init__(self, scope: Construct, *, sources: Mapping[str, Source], signals: Signals) -> None:
        super().__init__(scope, "Events")
        rules = [
            self._rule(name, number, source, pattern, signals)
            for name, source in sorted(sources.items())
            for number, pattern in enumerate(source.event_patterns, 1)
        ]
        for queue in (signals.queue, signals.dead):
            queue.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="RulesOfSources",
                    principals=[iam.ServicePrincipal("events.amazonaws.com")],
                    actions=["sqs:SendMessage"],
                    resources=[queue.queue_arn],
                    conditions={"ArnEquals": {"aws:SourceArn": [rule.attr_arn for rule in rules]}},
                )
            )

    def _rule(
        self, name: str, number: int, source: Source, pattern: Mapping[str, Any], signals: Signals
    ) -> events.CfnRule:
        title = "".join(word.capitalize() for word in name.split("_"))
        rule = events.CfnRule(
            self,
            f"{title}{number}",
            description=f"Alerts of the source {name} ({source.reference})",
            event_pattern=_pattern(self, pattern),
            targets=[
                events.CfnRule.TargetProperty(
                    id="SignalsQueue",
                    arn=signals.queue.queue_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=signals.dead.queue_arn),
                )
            ],
        )
        named(rule, f"{title}Rule{number if number > 1 else ''}")
        return rule


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


def _pattern(scope: Construct, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    if declared["source"] != ["aws.states"]:
        return declared
    # Our own executions that fail raise an alarm of ours; as alerts they would open incidents about themselves.
    others = [{"anything-but": {"prefix": machines_prefix(Stack.of(scope))}}]
    return {**declared, "detail": {**declared.get("detail", {}), "stateMachineArn": others}}

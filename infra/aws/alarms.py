"""The dead man's switch and the bot's other alarms: straight to the notices topic, through nothing of the bot's own."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.aws.functions import StageFunction
from infra.aws.naming import machine_arn, named
from infra.aws.signals import Signals

MINUTE = Duration.minutes(1)
NAMESPACE = "IncidentBot"
# An incident's execution has no time of its own to end in, so none is timed out.
ENDINGS = (("incident", "Failed"), ("remediation", "Failed"), ("remediation", "TimedOut"))


class Alarms(Construct):
    """What tells people that the bot itself is ill."""

    def __init__(self, scope: Construct, *, notices: sns.ITopic, signals: Signals, receive: StageFunction) -> None:
        super().__init__(scope, "Alarms")
        self._action = actions.SnsAction(notices)
        self._absent(
            "SyntheticAlert",
            cloudwatch.Metric(namespace=NAMESPACE, metric_name="SyntheticAlert", statistic="Sum", period=MINUTE),
            "The synthetic alert of each minute does not come through: alerts may not be reaching anybody.",
        )
        self._absent(
            "Sweep",
            cloudwatch.Metric(namespace=NAMESPACE, metric_name="Sweeps", statistic="Sum", period=MINUTE),
            "Nothing repairs what was missed: sweep does not run to its end.",
        )
        self._above(
            "DeadLetters",
            signals.dead.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum"),
            "Alerts or events could not be handled at all and wait in the dead-letter queue.",
        )
        self._above(
            "QueueAge",
            signals.queue.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum"),
            "Alerts wait in the signals queue for more than a minute.",
            above=60,
            minutes=2,
        )
        self._above(
            "ReceiveErrors",
            receive.function.metric_errors(period=MINUTE, statistic="Sum"),
            "Webhooks fail: their senders get errors.",
        )
        self._above(
            "TimelineTampered",
            cloudwatch.Metric(namespace=NAMESPACE, metric_name="TimelineTampered", statistic="Sum", period=MINUTE),
            "A timeline entry was changed, which nobody may do: `incidentbot audit verify` shows where.",
        )
        self._above(
            "Untold",
            cloudwatch.Metric(namespace=NAMESPACE, metric_name="Untold", statistic="Sum", period=MINUTE),
            "A delivery could not be read (`incidentbot quarantine list` shows why), or a page reached nobody and is"
            " tried again: look at `incidentbot list`.",
        )
        for machine, ending in ENDINGS:
            self._above(
                f"{machine.capitalize()}{ending}",
                _executions(self, machine, f"Executions{ending}"),
                f"An execution of the {machine} machine did not end well; sweep takes the work up again.",
            )

    def _absent(self, name: str, metric: cloudwatch.IMetric, says: str) -> None:
        """Alarm after three minutes without any: no data means that nothing happened, which is the failure."""
        self._alarm(
            name,
            metric,
            says,
            threshold=1,
            minutes=3,
            operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )

    def _above(self, name: str, metric: cloudwatch.IMetric, says: str, *, above: float = 0, minutes: int = 1) -> None:
        self._alarm(
            name,
            metric,
            says,
            threshold=above,
            minutes=minutes,
            operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        says: str,
        *,
        threshold: float,
        minutes: int,
        operator: cloudwatch.ComparisonOperator,
        missing: cloudwatch.TreatMissingData,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_description=says,
            metric=metric,
            threshold=threshold,
            evaluation_periods=minutes,
            comparison_operator=operator,
            treat_missing_data=missing,
        )
        named(alarm, f"{name}Alarm")
        alarm.add_alarm_action(self._action)


def _executions(scope: Construct, machine: str, metric: str) -> cloudwatch.Metric:
    dimensions = {"StateMachineArn": machine_arn(Stack.of(scope), machine)}
    return cloudwatch.Metric(
        namespace="AWS/States", metric_name=metric, dimensions_map=dimensions, statistic="Sum", period=MINUTE
    )

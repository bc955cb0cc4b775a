"""What a CloudWatch alarm watches: its metrics as either envelope spells them, and the resource that they measure."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from incident_bot.payload import prose

DIMENSIONS = 30  # the most that CloudWatch knows of one metric
# The ARNs of what dimensions of AWS's own metrics name, from the region on; the first that is there counts.
RESOURCES = {
    "DBInstanceIdentifier": "rds:{place}:db:{name}",
    "DBClusterIdentifier": "rds:{place}:cluster:{name}",
    "QueueName": "sqs:{place}:{name}",
    "TableName": "dynamodb:{place}:table/{name}",
    "InstanceId": "ec2:{place}:instance/{name}",
    "LoadBalancer": "elasticloadbalancing:{place}:loadbalancer/{name}",
    "StreamName": "kinesis:{place}:stream/{name}",
    "TopicName": "sns:{place}:{name}",
    "CanaryName": "synthetics:{place}:canary:{name}",
}
AWS_NAMESPACES = ("AWS/", "CloudWatchSynthetics")  # elsewhere an InstanceId may be anything


class Metric(NamedTuple):
    """One metric: in an alarm on an expression, one of those it is made of."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]


def of_trigger(trigger: Mapping[str, Any]) -> list[Metric]:
    """The metrics of an SNS notification's trigger: the alarm's own, or those of its expressions."""
    several = [stat.get("Metric") for stat in _each(trigger.get("Metrics"), "MetricStat")]
    return [
        Metric(prose(metric, "Namespace"), prose(metric, "MetricName"), _pairs(metric.get("Dimensions")))
        for metric in (trigger, *several)
        if isinstance(metric, Mapping) and prose(metric, "MetricName")
    ]


def of_configuration(configuration: Mapping[str, Any]) -> list[Metric]:
    """The metrics of the configuration in an event."""
    metrics = [stat.get("metric") for stat in _each(configuration.get("metrics"), "metricStat")]
    return [
        Metric(prose(metric, "namespace"), prose(metric, "name"), entries(metric.get("dimensions")))
        for metric in metrics
        if isinstance(metric, Mapping)
    ]


def expressions(metrics: object, name: str) -> list[str]:
    """The expressions among an alarm's metrics, whose key either envelope spells in its own way."""
    listed = metrics if isinstance(metrics, list) else []
    return [found for metric in listed if isinstance(metric, Mapping) and (found := prose(metric, name))]


def kind_of(configuration: Mapping[str, Any], written: list[str]) -> str:
    """Which kind of alarm it is: `composite`, `log`, `anomaly`, `query` (Metrics Insights), `math` or `metric`."""
    names = {name.lower() for name in configuration}
    if "alarmrule" in names:
        return "composite"
    if "scheduledqueryconfiguration" in names:
        return "log"
    if "thresholdmetricid" in names or any(one.startswith("ANOMALY_DETECTION_BAND") for one in written):
        return "anomaly"
    if any(one.upper().startswith("SELECT ") for one in written):
        return "query"
    return "math" if written else "metric"


def resource_of(partition: str, region: str, account: str, namespace: str, dimensions: Mapping[str, str]) -> str:
    """The ARN of what the dimensions name, where they name it beyond doubt."""
    place = f"{region}:{account}"
    if "StateMachineArn" in dimensions:
        return dimensions["StateMachineArn"]
    if "FunctionName" in dimensions:
        return f"arn:{partition}:lambda:{place}:function:{dimensions['FunctionName']}"
    if "ClusterName" in dimensions and "ServiceName" in dimensions:
        return f"arn:{partition}:ecs:{place}:service/{dimensions['ClusterName']}/{dimensions['ServiceName']}"
    if not namespace.startswith(AWS_NAMESPACES):
        return ""
    found = ((shape, dimensions[name]) for name, shape in RESOURCES.items() if dimensions.get(name))
    return next((f"arn:{partition}:{shape.format(place=place, name=name)}" for shape, name in found), "")


def entries(found: object, at_most: int = DIMENSIONS) -> dict[str, str]:
    """Names and values of an object, such as the dimensions in an event."""
    known = found if isinstance(found, Mapping) else {}
    return {name: prose(known, name) for name in list(known)[:at_most] if len(name) <= 255}


def _pairs(dimensions: object) -> dict[str, str]:
    """Dimensions as SNS spells them: a list of name and value."""
    pairs = [d for d in (dimensions if isinstance(dimensions, list) else ())[:DIMENSIONS] if isinstance(d, Mapping)]
    return {name: prose(pair, "value") for pair in pairs if (name := prose(pair, "name"))}


def _each(values: object, name: str) -> Iterator[Mapping[str, Any]]:
    for value in values if isinstance(values, list) else ():
        found = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(found, Mapping):
            yield found

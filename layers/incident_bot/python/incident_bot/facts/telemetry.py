"""What the service's own signals read now, each against the value below which it is healthy."""

from datetime import datetime, timedelta
from typing import Any

from incident_bot.domain.clock import rfc3339
from incident_bot.domain.incident import Incident
from incident_bot.domain.team import Signal
from incident_bot.facts import Fact, Finding
from incident_bot.permission import Permission
from incident_bot.world import World

PERIODS = 10  # how far to look back for the latest datum


def gather(incident: Incident, world: World) -> Finding | None:
    """The latest value of each signal of the service's resources; "no data" where there is none, never 0."""
    service = world.team.services.get(incident.service)
    signals = _distinct([r.signal for r in service.resources if r.signal]) if service else []
    if not signals:
        return None
    now = world.now()
    answer = world.clients.client("cloudwatch").get_metric_data(
        MetricDataQueries=[_query(index, signal) for index, signal in enumerate(signals)],
        StartTime=now - timedelta(seconds=PERIODS * max(signal.period_seconds for signal in signals)),
        EndTime=now,
        ScanBy="TimestampDescending",
    )
    results = {result["Id"]: result for result in answer["MetricDataResults"]}
    read = [(signal, *_latest(results.get(f"m{index}", {}))) for index, signal in enumerate(signals)]
    moments = [at for _, at, _ in read if at is not None]
    value = {signal.metric: value for signal, _, value in read}
    text = "; ".join(_said(signal, value) for signal, _, value in read)
    return Finding(text, value, rfc3339(max(moments, default=now)))


def _distinct(signals: list[Signal]) -> list[Signal]:
    """Each signal once: a function and its alias share one. (A signal holds a mapping, so it cannot be hashed.)"""
    return [signal for index, signal in enumerate(signals) if signal not in signals[:index]]


def _query(index: int, signal: Signal) -> dict[str, Any]:
    metric = {
        "Namespace": signal.namespace,
        "MetricName": signal.metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in signal.dimensions.items()],
    }
    return {
        "Id": f"m{index}",
        "MetricStat": {"Metric": metric, "Period": signal.period_seconds, "Stat": signal.statistic},
    }


def _latest(result: dict[str, Any]) -> tuple[datetime | None, float | None]:
    points = sorted(zip(result.get("Timestamps", ()), result.get("Values", ()), strict=False))
    return points[-1] if points else (None, None)


def _said(signal: Signal, value: float | None) -> str:
    reading = "has no data" if value is None else f"is {value:g}"
    return f"{signal.statistic} of {signal.metric} {reading} (healthy below {signal.healthy_below:g})"


FACT = Fact(
    name="telemetry",
    reads="cloudwatch:GetMetricData",
    gather=gather,
    ttl_seconds=30,
    permissions=(Permission(("cloudwatch:GetMetricData",), ("*",)),),  # it has no resource-level permissions
)

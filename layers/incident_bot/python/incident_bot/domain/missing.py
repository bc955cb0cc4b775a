"""Missing data: whether an alarm treats the silence of its metric so that people hear of it, and its incident ends.

As CloudWatch's user guide has it ("Configuring how CloudWatch alarms treat missing data"), silence is told as OK
(`notBreaching`), as ALARM (`breaching`), as the state before (`ignore`), or, where all that is looked at is missing, as
INSUFFICIENT_DATA (`missing`, the default), of which nobody hears and by which no incident ends. Which one is right
depends on what the metric's silence means, and that on what it measures:

- what counts (Sum, SampleCount), and failures by whatever statistic, have no data where nothing happened: it is well;
- what a request takes has no data without requests: it is well too;
- what must go on (a count that is watched for being too low, a heartbeat, healthy hosts) is gone where it is silent;
- of any other gauge nobody can tell, but `ignore` is wrong of it as well: it keeps ALARM, or hides the end, for good.
"""

import re
from collections.abc import Iterator

COUNTS = ("Sum", "SampleCount")
FAILURES = re.compile(
    r"(?!StatusCheckFailed)"  # which is measured each minute, failed or not
    r".*(?:error|(?<!de)fault|throttl|fail|[45]xx|reject|dropped|timeout|timedout|dead.?letter|exception|denied|abort)",
    re.IGNORECASE,
)
REQUESTS = frozenset(  # what AWS publishes for each request or run, and not each minute
    {"Duration", "PostRuntimeExtensionsDuration", "ExecutionTime", "Latency", "IntegrationLatency", "OriginLatency"}
    | {"TargetResponseTime", "SuccessfulRequestLatency", "FirstByteLatency", "TotalRequestLatency"}
)
BEATS = re.compile(
    r".*(?:heart.?beat|(?<!un)healthy|alive|liveness|watchdog|uptime|in.?service|running)", re.IGNORECASE
)
MACHINES = re.compile(r":ec2:(?:stop|terminate|reboot|recover)|AWS_EC2\.InstanceId(?:Stop|Terminate|Reboot|Recover)")


def judged(
    metric: str, statistic: str, comparison: str, threshold: float | None, missing: str
) -> Iterator[tuple[str, str]]:
    """What is wrong with how an alarm treats missing data: the rule's name and the reason.

    `metric` and `statistic` are empty where it watches what is computed; of a composite alarm `comparison` is too.
    """
    if not comparison:
        return
    low, treated = comparison.startswith("LessThan"), _treated(missing)
    counts = bool(metric) and statistic in COUNTS
    if metric and low and (threshold or 0) >= 0 and (counts or BEATS.match(metric)):
        if missing != "breaching":
            waits = f"too few of {metric}: when there are none" if counts else f"{metric} being low: when it is gone"
            yield (
                "heartbeat-missing-data",
                f"it waits for {waits} there is no data, which {treated}; treat missing data as breaching",
            )
    elif comparison.startswith("GreaterThan") and (why := _sparse(metric, counts=counts)):
        if missing != "notBreaching":
            yield "sparse-missing-data", f"{why} there is no data, which {treated}; treat missing data as notBreaching"
    elif missing == "ignore":
        ends = "when it ends there is no data, which"
        yield "ignored-missing-data", f"of {metric or 'what it computes'}, {ends} {treated}; say what its silence means"


def of_machines(actions: tuple[str, ...], missing: str) -> Iterator[tuple[str, str]]:
    """An alarm that stops, ends or restarts a machine should do so because of data, and not because some is late."""
    if missing != "missing" and any(MACHINES.search(action) for action in actions):
        yield (
            "machine-missing-data",
            f"it acts on a machine, and missing data, which may only be late, {_treated(missing)}; treat it as missing",
        )


def _sparse(metric: str, *, counts: bool) -> str:
    """Why a metric that is watched for being too high is silent where all is well; empty where nobody can tell."""
    if counts:
        return f"it counts {metric}: after the last one"
    if metric and FAILURES.match(metric):
        return f"it watches {metric}: without a failure, or anything that could fail,"
    return f"it watches {metric}: without a request" if metric in REQUESTS else ""


def _treated(missing: str) -> str:
    return {
        "missing": "makes it INSUFFICIENT_DATA, neither ALARM nor OK",
        "ignore": "leaves it in the state that it is in, for good",
        "breaching": "makes and keeps it ALARM",
        "notBreaching": "makes and keeps it OK",
    }.get(missing, f"is treated as {missing}")

"""Check: read the signals of what was touched, and say whether the mitigation helped."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from incident_bot.domain import journal
from incident_bot.domain.errors import Conflict, IncidentBotError
from incident_bot.domain.helped import Finding, Points, Verdict, helped
from incident_bot.domain.journal import Kind
from incident_bot.domain.team import Signal
from incident_bot.remedy.acting import CANARY, REST, UNDO
from incident_bot.remedy.running import Run, answer, answered, owned
from incident_bot.world import World


def check(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Answers with what comes next: settle (look again), rest, undo, release or ended."""
    remediation = owned(world, event)
    if remediation is None:
        return answer(event, "ended")
    run = Run(world, remediation)
    try:
        if remediation.outcome:
            _note_after(run)
            return answer(event, "release")
        if journal.turned(remediation.journal) or event["purpose"] != "apply":
            return answer(event, "undo", phase=UNDO)
        return _judge(run, event)
    except Conflict:
        return answer(event, "ended")


def _judge(run: Run, event: Mapping[str, Any]) -> dict[str, Any]:
    finding = _finding(run, run.remediation.acted_at or run.world.now())
    if finding.verdict is Verdict.WAITING:
        return answer(event, "settle", wait=finding.again_seconds)
    plan = run.remediation.plan
    checked = run.entry(Kind.CHECKED, f"{finding.verdict}: {finding.reason}")
    if finding.verdict is Verdict.NOT_HELPED:
        run.write(checked, run.entry(Kind.TURNED, f"it did not help: {finding.reason}"))
        return answer(event, "undo", phase=UNDO)
    if len(journal.applied(plan, run.entries)) < len(plan.steps):
        run.write(checked)
        return answer(event, "rest", phase=REST)
    run.end("helped", "applied", f"{plan.text}. {finding.reason}", checked)
    return answer(event, "release", phase=event.get("phase") or CANARY)


def _note_after(run: Run) -> None:
    """After putting back, what the signals say is worth knowing and changes nothing."""
    if run.entries[-1].kind is Kind.ENDED and run.remediation.outcome == "undone":
        finding = _finding(run, run.remediation.acted_at or run.world.now())
        run.note(Kind.CHECKED, f"after putting back: {finding.reason}")


def _finding(run: Run, since: datetime) -> Finding:
    remediation, now = run.remediation, run.world.now()
    touched = {remediation.plan.steps[step].target for step in journal.applied(remediation.plan, run.entries)}
    service = run.world.team.services.get(remediation.service)
    signals = {r.arn: r.signal for r in (service.resources if service else ()) if r.arn in touched and r.signal}
    readings = {arn: (signal, _points(run.world, signal, since, now)) for arn, signal in signals.items()}
    if touched - set(signals):
        return Finding(Verdict.NOT_HELPED, f"no signal tells about {', '.join(sorted(touched - set(signals)))}")
    return helped(readings, since, since + timedelta(seconds=remediation.settle_seconds), now)


def _points(world: World, signal: Signal, since: datetime, now: datetime) -> Points:
    """The signal's periods since then, oldest first; none where CloudWatch could not be read: no data is not good."""
    metric = {
        "Namespace": signal.namespace,
        "MetricName": signal.metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in sorted(signal.dimensions.items())],
    }
    stat = {"Metric": metric, "Period": signal.period_seconds, "Stat": signal.statistic}
    query = [{"Id": "signal", "MetricStat": stat, "ReturnData": True}]
    try:
        found = answered(
            lambda: world.clients.client("cloudwatch").get_metric_data(
                MetricDataQueries=query, StartTime=since, EndTime=now, ScanBy="TimestampAscending"
            )
        )
    except IncidentBotError:
        return ()
    results = found["MetricDataResults"]
    pairs = (zip(r["Timestamps"], r["Values"], strict=False) for r in results)
    return sorted(pair for result in pairs for pair in result)

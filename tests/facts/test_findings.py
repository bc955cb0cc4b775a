"""What each provider says, and that each says nothing where it does not apply."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from incident_bot import plugins
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.rota import Override
from incident_bot.domain.team import Signal
from incident_bot.facts import Finding
from incident_bot.facts.owner import FACT as OWNER
from incident_bot.facts.runbook import FACT as RUNBOOK
from incident_bot.facts.telemetry import FACT as TELEMETRY
from incident_bot.facts.topology import FACT as TOPOLOGY
from incident_bot.state import overrides
from incident_bot.virtual.clock import T0
from incident_bot.virtual.surroundings import MemoryClients
from tests.building import a_service, a_team, a_world, an_incident


def found(finding: Finding | None) -> Finding:
    assert finding is not None
    return finding


def test_the_owner_is_the_team_with_whoever_is_on_call_now() -> None:
    finding = found(OWNER.gather(an_incident(), a_world()))
    assert finding.text == "checkout (tier 1) belongs to payments; on call: Grace"
    assert finding.value == {"group": "payments", "on_call": ["grace"], "tier": 1}


def test_whoever_stands_in_is_named_instead() -> None:
    world = a_world()
    hour = timedelta(hours=1)
    world.store.write([overrides.making(Override("o1", "payments", "ada", T0 - hour, T0 + hour))])
    assert "on call: Ada" in found(OWNER.gather(an_incident(), world)).text


def test_a_service_that_nobody_configured_belongs_to_the_default_group() -> None:
    finding = found(OWNER.gather(an_incident(service="mystery"), a_world()))
    assert finding.text.startswith("mystery, which nobody configured, belongs to payments")


def test_the_runbook_is_the_configured_link() -> None:
    team = a_team(services={"checkout": a_service(runbook="https://runbooks.test/checkout")})
    assert found(RUNBOOK.gather(an_incident(), a_world(team))).text == "https://runbooks.test/checkout"
    assert RUNBOOK.gather(an_incident(), a_world()) is None


def test_topology_names_both_directions() -> None:
    finding = found(TOPOLOGY.gather(an_incident(service="orders"), a_world()))
    assert finding.value == {"depends_on": [], "dependents": ["checkout"]}


class CloudWatch:
    """Answers with the given series; keeps what it was asked."""

    def __init__(self, series: Mapping[str, list[tuple[Any, float]]]) -> None:
        self.series = series
        self.asked: dict[str, Any] = {}

    def get_metric_data(self, **asked: Any) -> Any:
        self.asked = asked
        results = []
        for query in asked["MetricDataQueries"]:
            points = self.series.get(query["MetricStat"]["Metric"]["MetricName"], [])
            results.append(
                {"Id": query["Id"], "Timestamps": [at for at, _ in points], "Values": [value for _, value in points]}
            )
        return {"MetricDataResults": results}


def test_telemetry_is_the_latest_value_and_as_old_as_its_datum() -> None:
    latest = T0 - timedelta(seconds=20)
    cloudwatch = CloudWatch({"checkout-errors": [(latest, 7.5), (T0 - timedelta(seconds=30), 1.0)]})
    finding = found(TELEMETRY.gather(an_incident(), a_world(clients=MemoryClients(cloudwatch=cloudwatch))))
    assert finding.text == "Average of checkout-errors is 7.5 (healthy below 1)"
    assert finding.as_of == rfc3339(latest)


def test_no_data_is_said_and_is_not_zero() -> None:
    finding = found(TELEMETRY.gather(an_incident(), a_world(clients=MemoryClients(cloudwatch=CloudWatch({})))))
    assert finding.text == "Average of checkout-errors has no data (healthy below 1)"
    assert finding.value == {"checkout-errors": None}


def test_a_signal_that_two_resources_share_is_asked_once() -> None:
    service = a_service()
    twice = a_service(resources=service.resources * 2)
    cloudwatch = CloudWatch({})
    TELEMETRY.gather(
        an_incident(), a_world(a_team(services={"checkout": twice}), clients=MemoryClients(cloudwatch=cloudwatch))
    )
    assert len(cloudwatch.asked["MetricDataQueries"]) == 1
    assert twice.resources[0].signal == Signal("Demo", "checkout-errors", 1.0, period_seconds=10)


@pytest.mark.parametrize("name", ["owner", "recent_deploys", "runbook", "telemetry", "topology"])
def test_every_provider_says_what_it_reads_within_which_time(name: str) -> None:
    fact = plugins.facts()[name]
    assert fact.reads
    assert 0 < fact.deadline_seconds <= 5
    assert fact.ttl_seconds > 0

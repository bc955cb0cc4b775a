"""Is the shop created once, broken and restored as told, and read as it really is?"""

import boto3
import pytest
from moto import mock_aws

from infra.local.production import ALARMS, CELLS, Production

ENVIRONMENT = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"


def client(service):
    return boto3.client(service, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret")


@pytest.fixture
def production():
    with mock_aws():
        production = Production(ENVIRONMENT)
        production.create(TOPIC)
        yield production


def task_definitions(production):
    return [production.read_state().services[cell].task_definition for cell in CELLS]


def test_a_new_shop_is_healthy(production):
    state = production.read_state()
    assert {
        name: (function.live_version, function.reserved_concurrency) for name, function in state.functions.items()
    } == {
        "checkout-api": ("2", None),
        "search-api": ("2", None),
    }
    assert task_definitions(production) == ["orders:1", "orders:1"]
    assert state.alarms.keys() == {alarm.name for alarm in ALARMS}


def test_creating_it_again_keeps_what_is_set(production):
    client("lambda").put_function_concurrency(FunctionName="checkout-api", ReservedConcurrentExecutions=20)
    client("lambda").update_alias(FunctionName="search-api", Name="live", FunctionVersion="1")
    production.deploy_bad_orders()
    before = production.read_state()
    production.create(TOPIC)
    assert production.read_state() == before
    versions = client("lambda").list_versions_by_function(FunctionName="checkout-api")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"]


def test_versions_tell_which_release_they_are(production):
    versions = client("lambda").list_versions_by_function(FunctionName="checkout-api")["Versions"]
    described = {version["Version"]: version["Description"] for version in versions}
    assert described["2"] == "release 2026.11.2 commit 9be07d35a1c8"
    assert len({version["CodeSha256"] for version in versions if version["Version"] in {"1", "2"}}) == 2


@pytest.mark.parametrize("creations", [1, 2])
def test_alarms_speak_to_the_topic_both_ways_and_know_something(production, creations):
    for _ in range(creations - 1):
        production.create(TOPIC)
    for alarm in client("cloudwatch").describe_alarms()["MetricAlarms"]:
        assert (alarm["AlarmActions"], alarm["OKActions"], alarm["ActionsEnabled"]) == ([TOPIC], [TOPIC], True)
        assert alarm.get("Dimensions", []) == []
        seen = client("cloudwatch").list_metrics(Namespace="Shop", MetricName=alarm["MetricName"])["Metrics"]
        assert len(seen) == 1


def test_a_bad_release_reaches_both_cells_and_reset_takes_everything_back(production):
    production.deploy_bad_orders()
    assert task_definitions(production) == ["orders:2", "orders:2"]
    client("lambda").put_function_concurrency(FunctionName="checkout-api", ReservedConcurrentExecutions=20)
    client("lambda").update_alias(FunctionName="search-api", Name="live", FunctionVersion="1")
    assert production.read_state().functions["checkout-api"].reserved_concurrency == 20
    production.reset()
    assert task_definitions(production) == ["orders:1", "orders:1"]
    functions = production.read_state().functions
    assert functions["checkout-api"].reserved_concurrency is None
    assert functions["search-api"].live_version == "2"


@pytest.mark.parametrize("fail", [True, False])
def test_the_settlement_is_started_with_its_fate(production, fail):
    arn = production.run_settlement(fail=fail)
    started = client("stepfunctions").describe_execution(executionArn=arn)
    assert started["input"] == ('{"fail": true}' if fail else '{"fail": false}')

"""Functions: one per stage, named alike everywhere, with what they need and what they are told."""

from pathlib import Path

import aws_cdk.aws_lambda as lambda_
import pytest

from incident_bot.settings import API_URL, ENDPOINTS, REQUIRED
from infra.aws import grants
from infra.aws.stages import discover
from infra.aws.synthesis import template
from infra.layer import AWS_PYTHON
from tests.infra.aws.reading import of_type, properties


def test_every_stage_file_is_a_function_by_its_name(aws):
    handlers = {name: f["Properties"]["Handler"] for name, f in of_type(aws, "AWS::Lambda::Function").items()}
    assert handlers == {f"{stage.title}Function": stage.handler for stage in discover()}


def test_every_function_logs_to_a_group_of_its_own_for_a_while(aws):
    for name, function in of_type(aws, "AWS::Lambda::Function").items():
        logs = f"{name.removesuffix('Function')}Logs"
        assert function["Properties"]["LoggingConfig"]["LogGroup"] == {"Ref": logs}
        assert properties(aws, logs)["RetentionInDays"] == 30


def test_functions_run_on_the_newest_python_that_this_cdk_knows_on_arm64(aws):
    known = [name for name in vars(lambda_.Runtime) if name.startswith("PYTHON_3_")]
    newest = max(int(name.removeprefix("PYTHON_3_")) for name in known)
    assert f"3.{newest}" == AWS_PYTHON
    for function in of_type(aws, "AWS::Lambda::Function").values():
        assert function["Properties"]["Runtime"] == f"python3.{newest}"
        assert function["Properties"]["Architectures"] == ["arm64"]


def test_the_environment_holds_all_that_settings_read(aws):
    needed = set(REQUIRED.values()) - {"AWS_REGION"} | {ENDPOINTS}  # Lambda sets the region itself
    for name, function in of_type(aws, "AWS::Lambda::Function").items():
        told = set(function["Properties"]["Environment"]["Variables"])
        assert needed <= told
        assert (API_URL in told) == (name == "SweepFunction")


def test_the_paging_path_keeps_concurrency_for_itself(aws):
    reserved = {
        name: function["Properties"]["ReservedConcurrentExecutions"]
        for name, function in of_type(aws, "AWS::Lambda::Function").items()
        if "ReservedConcurrentExecutions" in function["Properties"]
    }
    assert set(reserved) == {"ReceiveFunction", "ConsumeFunction", "AdvanceFunction"}
    assert reserved["ConsumeFunction"] >= properties(aws, "SignalsFeed")["ScalingConfig"]["MaximumConcurrency"]


def test_a_small_account_may_do_without_reserving():
    functions = of_type(template({"reserve": "false"}), "AWS::Lambda::Function").values()
    assert not any("ReservedConcurrentExecutions" in function["Properties"] for function in functions)


def test_a_stage_that_nobody_decided_about_is_refused():
    with pytest.raises(ValueError, match="has no grants"):
        grants.of("gossip")


def test_two_stages_of_one_name_are_refused(tmp_path: Path):
    for group in ("ingest", "triage"):
        (tmp_path / group).mkdir()
        (tmp_path / group / "page.py").touch()
    with pytest.raises(ValueError, match="page"):
        discover(tmp_path)
    with pytest.raises(ValueError, match="no stage"):
        discover(tmp_path / "ingest")


def test_lambda_logs_no_line_about_each_start_and_end(aws):
    for function in of_type(aws, "AWS::Lambda::Function").values():
        told = function["Properties"]["LoggingConfig"]
        assert (told["LogFormat"], told["SystemLogLevel"]) == ("JSON", "WARN")


def test_every_function_but_the_webhooks_begins_traces(aws):
    untraced = [
        name
        for name, function in of_type(aws, "AWS::Lambda::Function").items()
        if function["Properties"]["TracingConfig"]["Mode"] != "Active"
    ]
    assert untraced == ["ReceiveFunction"]

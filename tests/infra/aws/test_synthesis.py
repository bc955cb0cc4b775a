"""Synthesis asks nobody, passes cdk-nag, and what it makes passes cfn-lint."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_sqs as sqs
from cfnlint.api import ManualArgs, lint

from infra.aws.readable import readable
from infra.aws.synthesis import hold_rules
from infra.layer import ROOT

OUTPUTS = {
    *("ApiUrl", "ApiId", "AlarmTopicArn", "SignalsQueueUrl", "TableName", "TimelineTableName", "ArchiveBucket"),
    *("IncidentMachineArn", "RemediationMachineArn", "DecisionMachineArn", "NoticesTopicArn", "BusName"),
    *("ParameterPrefix", "LeftBehind", "OperatorPolicyArn", "DeadLetterQueueUrl"),
}


def test_the_app_synthesizes_without_network_account_git_or_docker(tmp_path: Path):
    environment = {
        "PATH": str(tmp_path),
        "HOME": str(tmp_path),
        "CDK_OUTDIR": str(tmp_path / "out"),
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "layers" / "incident_bot" / "python"))),
    }
    synth = subprocess.run(
        [*_without_network(), sys.executable, "-m", "infra.aws.app"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert synth.returncode == 0, synth.stdout + synth.stderr  # cdk-nag's findings would be in it
    template = json.loads((tmp_path / "out" / "IncidentBot.template.json").read_text())
    assert set(template["Outputs"]) >= OUTPUTS


def _without_network() -> list[str]:
    """A network namespace of its own where the system allows one; otherwise only names and credentials are missing."""
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    possible = (
        shutil.which("unshare") and subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0
    )
    return [shutil.which("unshare") or "", *alone[1:]] if possible else []


def test_what_breaks_a_rule_is_not_synthesized(tmp_path: Path):
    app = App(outdir=str(tmp_path))
    sqs.Queue(Stack(app, "Careless"), "Plain")
    hold_rules(app)
    with pytest.raises(RuntimeError, match="AwsSolutions-SQS4"):
        app.synth()


@pytest.mark.parametrize("target", ["aws", "local"])
def test_cfn_lint_finds_nothing(target: str, request: pytest.FixtureRequest, tmp_path: Path):
    template = request.getfixturevalue(target)
    found = lint(json.dumps(template), config=ManualArgs(ignore_checks=["W3005"]))
    assert [f"{match.rule.id} {match.path}: {match.message}" for match in found] == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ({"Ref": "Queue"}, "<Queue>"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "<Queue.Arn>"),
        ({"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":sns"]]}, "arn:<AWS::Partition>:sns"),
        ({"Fn::Sub": "arn:${AWS::Partition}:sns"}, "arn:<AWS::Partition>:sns"),
        ({"Fn::Sub": ["${Table}/index", {"Table": {"Ref": "T"}}]}, "<T>/index"),
    ],
)
def test_references_are_readable(value, text):
    assert readable(value) == text


def test_a_reference_that_nobody_expected_is_no_silent_text():
    with pytest.raises(ValueError, match="Fn::If"):
        readable({"Fn::If": ["x", "a", "b"]})

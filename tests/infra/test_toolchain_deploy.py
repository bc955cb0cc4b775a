"""Asks whether deploying hands back the stacks' outputs, and says what went wrong when it does not."""

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import emulator
from infra.local.deploy import DeployFailed, deploy
from infra.local.emulator import Emulator

pytestmark = pytest.mark.toolchain

# A cloud assembly written by hand: what is asked is how the command line is driven, not what the CDK can do.
MANIFEST = {
    "version": "36.0.0",
    "artifacts": {
        "Small": {
            "type": "aws:cloudformation:stack",
            "environment": "aws://000000000000/us-east-1",
            "properties": {"templateFile": "small.json"},
        }
    },
}
APP = """
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"])
context = json.loads(os.environ["CDK_CONTEXT_JSON"])
template = {
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
    "Outputs": {"Queue": {"Value": {"Ref": "Queue"}}, "Target": {"Value": context["target"]}},
}
(out / "manifest.json").write_text(json.dumps(MANIFEST))
(out / "small.json").write_text(json.dumps(template))
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    state = tmp_path_factory.mktemp("state")
    yield emulator.start(port, state)
    emulator.stop(state)


def an_app(directory: Path, program: str) -> Path:
    (directory / "app.py").write_text(f"MANIFEST = {MANIFEST!r}\n{program}")
    (directory / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
    return directory


def test_the_outputs_come_back_by_stack(running: Emulator, tmp_path: Path) -> None:
    heard: list[str] = []
    outputs = deploy(running, {"target": "somewhere"}, an_app(tmp_path, APP), heard.append)
    assert outputs["Small"]["Target"] == "somewhere"
    assert "Small" in outputs["Small"]["Queue"]
    assert any("Small" in news for news in heard)


def test_the_account_is_bootstrapped_once(running: Emulator, tmp_path: Path) -> None:
    deploy(running, None, an_app(tmp_path, APP), lambda _: None)
    heard: list[str] = []
    deploy(running, None, tmp_path, heard.append)
    assert not any("bootstrapping" in news for news in heard)


def test_an_app_that_breaks_is_quoted(running: Emulator, tmp_path: Path) -> None:
    with pytest.raises(DeployFailed, match="the rota names nobody"):
        deploy(running, None, an_app(tmp_path, "raise SystemExit('the rota names nobody')"), lambda _: None)

"""The app put together: the same for the CDK command line, for `permissions.txt` and for the tests."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from incident_bot import configuration
from infra import layer
from infra.aws.choices import read
from infra.aws.stack import IncidentBot

COMPILED = "incident_bot/team.json"  # below the layer's python/


def synthesize(app: App) -> None:
    """Everything, as the app's context chooses, with the layer built and cdk-nag's rules held."""
    choices = read(app.node)
    team = configuration.load(choices.config)
    built = layer.build(choices.target, {COMPILED: configuration.compile(team)})
    IncidentBot(app, choices=choices, team=team, layer=built)
    if choices.target == "aws":  # the emulator's stack is the same but for TLS, which the emulator has none of
        hold_rules(app)
    app.synth()


def hold_rules(app: App) -> None:
    """Refuse to synthesize what breaks a rule of cdk-nag that was not accepted with a reason."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))


def template(context: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The stack's template, over a layer of nothing: what is in the layer changes no permission."""
    with TemporaryDirectory() as out, TemporaryDirectory(prefix="layer-") as empty:
        app = App(outdir=out, context=dict(context or {}))
        choices = read(app.node)
        Path(empty, "python").mkdir()
        IncidentBot(app, choices=choices, team=configuration.load(choices.config), layer=Path(empty))
        app.synth()
        return dict(json.loads(Path(out, f"{choices.stack}.template.json").read_text()))

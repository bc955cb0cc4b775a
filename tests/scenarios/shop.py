"""The team that the scenarios run: the example team with short clocks and with services of the scenarios' own."""

import json
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ARN = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:"
CLAMPED = ("till", "catalog", "gate")  # one function each, slow unless its concurrency is clamped
BARE = ("basket", "drawer", "shelf", "wallet")  # one function each, slow unless it is clamped at all; no playbook
DEPLOYED = ("parcel", "crate", "fleet")  # two functions each, the first a canary, failing on their newest version
ROLLED = {
    "name": "rolled",
    "owner": "platform",
    "review_by": "2027-05-01",
    "when": {"service": "rolled"},
}
CHANGED = ("quay", "pier")  # of one team, changed together
STORMY = ("gale-a", "gale-b", "gale-c")  # of a team that is paged for nothing else
LIMIT = 5
APPROVAL_SECONDS = 45
ESCALATION_SECONDS = 7


def functions() -> list[str]:
    """Every Lambda function that the scenarios' services are made of."""
    return [*CLAMPED, *BARE, *(f"{name}-{cell}" for name in DEPLOYED for cell in "ab")]


def metric(function: str) -> str:
    """The metric that tells how a function is: below 100 it is well."""
    return re.sub(r"\W", "", function.title())


def write(source: Path, target: Path) -> Path:
    """Derive the scenarios' configuration from the team's in `source`; JSON is YAML too."""
    target.mkdir(parents=True, exist_ok=True)
    yaml = YAML(typ="safe")
    documents: dict[str, Any] = {path.stem: yaml.load(path.read_text()) for path in source.glob("*.yaml")}
    documents["rules"]["timing"] |= {"quiet_period": 3, "reopen_window": 1800}
    documents["rules"]["deploy_windows"] = [ROLLED]
    documents["guardrails"] |= {"approval_ttl_seconds": APPROVAL_SECONDS, "stop_after_failures": 50}
    for limits in documents["guardrails"]["limits"].values():
        limits |= {"per_hour": 500, "cooldown_seconds": 0}
    people = documents["people"]
    people["groups"]["hurried"] = _hurried(people["groups"]["platform"])
    people["groups"]["gale"] = people["groups"]["platform"]
    documents["services"]["services"] |= _services()
    documents["playbooks"]["playbooks"] += _playbooks()
    for name, document in documents.items():
        (target / f"{name}.yaml").write_text(json.dumps(document, indent=1, default=str))
    return target


def _hurried(group: dict[str, Any]) -> dict[str, Any]:
    """Pages alice, and bob when she does not answer within seconds."""
    way = {"channels": ["pagerduty", "webhook", "sns"], "wait_seconds": ESCALATION_SECONDS}
    steps = [{"notify": ["person:alice"], **way}, {"notify": ["person:bob"], **way, "wait_seconds": 300}]
    return {**group, "steps": steps}


def _services() -> dict[str, Any]:
    made = {name: _service([_resource(name)]) for name in (*CLAMPED, *BARE)}
    made |= {name: _service([_cell(name, "a", canary=True), _cell(name, "b")]) for name in DEPLOYED}
    made |= {name: _service([]) for name in CHANGED}
    made["mill"] = {**_service([]), "owner": "hurried"}
    made |= {name: {**_service([]), "owner": "gale"} for name in STORMY}
    made["shore"] = {**_service([]), "depends_on": ["harbour"]}
    made["rolled"] = {**_service([]), "owner": "platform"}
    made["harbour"] = {**_service([]), "owner": "platform"}
    return made


def _service(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {"owner": "storefront", "tier": 1, "runbook": "https://runbooks.shop.example/lab", "resources": resources}


def _resource(function: str, suffix: str = "") -> dict[str, Any]:
    signal = {"namespace": "Lab", "metric": metric(function), "healthy_below": 100, "period_seconds": 5}
    return {"arn": f"{ARN}{function}{suffix}", "signal": signal}


def _cell(service: str, cell: str, *, canary: bool = False) -> dict[str, Any]:
    return {**_resource(f"{service}-{cell}", ":live"), "cell": cell, "canary": canary}


def _playbooks() -> list[dict[str, Any]]:
    made = [
        {
            "when": {"service": name},
            "name": f"{name}-clamp",
            "action": "limit_lambda_concurrency",
            "target": f"{ARN}{name}",
            "mode": "propose",
            "parameters": {"limit": LIMIT},
            "settle_seconds": 5,
            "lift_after_seconds": 30 if name == "gate" else 4,
        }
        for name in CLAMPED
    ]
    made += [
        {
            "when": {"service": name},
            "name": f"{name}-rollback",
            "action": "roll_back_lambda_alias",
            "target": "cells",
            "mode": "full",
            "settle_seconds": 6,
            "hold_page_seconds": 120,
        }
        for name in DEPLOYED
    ]
    return [{**playbook, "owner": "storefront", "review_by": "2099-01-01", "helps": "In the lab."} for playbook in made]

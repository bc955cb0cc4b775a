"""Every stage by place and name: one file in functions/<group>/ is one Lambda function, one role, one log group."""

from dataclasses import dataclass
from pathlib import Path

from infra.layer import ROOT

FUNCTIONS = ROOT / "functions"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: `triage` in the group `triage` is the CDK id `Triage` and the placeholder `${TriageFunctionArn}`."""

    group: str
    name: str

    @property
    def title(self) -> str:
        return self.name.capitalize()

    @property
    def handler(self) -> str:
        return f"{self.group}.{self.name}.handler"


def discover(functions: Path = FUNCTIONS) -> tuple[Stage, ...]:
    """All stages in order of their names; raises ValueError where there is none or two share a name."""
    stages = [Stage(path.parent.name, path.stem) for path in sorted(functions.glob("*/*.py")) if path.stem[0] != "_"]
    names = [stage.name for stage in stages]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"one name per stage, but these are two: {', '.join(sorted(twice))}")
    if not stages:
        raise ValueError(f"{functions} holds no stage")
    return tuple(stages)

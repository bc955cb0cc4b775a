"""Reading a template: whose statement allows what on what, and which resources there are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.aws.permissions import several, statements
from infra.aws.readable import readable

Template = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Allowed:
    """One action that a role or policy allows on one resource, references readable."""

    who: str
    action: str
    on: str
    condition: Mapping[str, Any] | None = None


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """The resources of a type, by logical id."""
    return {name: found for name, found in template["Resources"].items() if found["Type"] == kind}


def properties(template: Template, name: str) -> dict[str, Any]:
    """The properties of one resource."""
    found: dict[str, Any] = template["Resources"][name]["Properties"]
    return found


def allowed(template: Template) -> list[Allowed]:
    """Everything that roles and managed policies allow."""
    return [one for kind in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy") for one in _allowed(template, kind)]


def _allowed(template: Template, kind: str) -> Iterator[Allowed]:
    for name, role in of_type(template, kind).items():
        for statement in statements(role):
            if statement["Effect"] == "Allow":
                for action in several(statement["Action"]):
                    for resource in several(statement["Resource"]):
                        yield Allowed(name, action, readable(resource), statement.get("Condition"))


def of(template: Template, role: str) -> set[tuple[str, str]]:
    """What one role allows: (action, resource)."""
    return {(one.action, one.on) for one in allowed(template) if one.who == role}


def policies_of(template: Template, kind: str, attached: str, name: str) -> list[dict[str, Any]]:
    """The statements of the resource policies that are attached to that resource by the property `attached`."""
    return [
        statement
        for policy in of_type(template, kind).values()
        if name in [readable(one).strip("<>") for one in several(policy["Properties"][attached])]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def is_action_role(name: str) -> bool:
    """Whether it is one of the roles that `act` assumes."""
    return name.endswith("ActionRole")

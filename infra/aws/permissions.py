"""`permissions.txt`: who may do what to which resource, a line each; its diff is the security review of a change.

`python -m infra.aws.permissions` writes it anew.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from infra.aws.readable import readable
from infra.layer import ROOT

PERMISSIONS = ROOT / "permissions.txt"
IDENTITIES = {"AWS::IAM::Role": "Role", "AWS::IAM::ManagedPolicy": ""}
HEADING = """\
# Who may do what to which resource: role, action, resource [condition]. Generated; never edit it.
# `python -m infra.aws.permissions` writes it anew. `!` denies. `<-` says who may become the role.
"""

Template = Mapping[str, Any]


def render(template: Template) -> str:
    """The file's text for a synthesized template."""
    return HEADING + "".join(f"{line}\n" for line in lines(template))


def lines(template: Template) -> list[str]:
    """A line for each role, action and resource, in order."""
    return sorted({line for name, resource in template["Resources"].items() for line in _of(name, resource)})


def statements(resource: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statements of a role's or managed policy's own documents."""
    properties = resource["Properties"]
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    return [statement for document in documents for statement in document["Statement"]]


def several(value: Any) -> list[Any]:
    """IAM writes one thing or a list of them; this is always the list."""
    return value if isinstance(value, list) else [value]


def _of(name: str, resource: Mapping[str, Any]) -> Iterator[str]:
    if resource["Type"] not in IDENTITIES:
        return
    who = name.removesuffix(IDENTITIES[resource["Type"]])
    for statement in statements(resource):
        mark = "!" if statement["Effect"] == "Deny" else ""
        for action in several(statement["Action"]):
            for target in several(statement["Resource"]):
                yield f"{who} {mark}{action} {readable(target)}{_condition(statement)}"
    for statement in resource["Properties"].get("AssumeRolePolicyDocument", {}).get("Statement", []):
        for principal in (one for kind in statement["Principal"].values() for one in several(kind)):
            for action in several(statement["Action"]):
                yield f"{who} <- {readable(principal)} {action}{_condition(statement)}"


def _condition(statement: Mapping[str, Any]) -> str:
    if "Condition" not in statement:
        return ""
    told = {
        f"{operator} {key}": [readable(value) for value in several(values)]
        for operator, keys in statement["Condition"].items()
        for key, values in keys.items()
    }
    return f" {json.dumps(told, sort_keys=True)}"


def main() -> None:
    """Write the file for the example team on AWS."""
    from infra.aws.synthesis import template  # noqa: PLC0415 - importing the CDK takes seconds; --help needs none

    text = render(template())
    PERMISSIONS.write_text(text)
    print(f"{PERMISSIONS.relative_to(ROOT)}: {len(text.splitlines())} lines")


if __name__ == "__main__":
    main()

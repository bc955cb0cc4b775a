"""State machines: the file is the definition; CDK says only which function a name stands for."""

import json
import re

import pytest

from infra.aws.machines import DEFINITIONS
from infra.aws.readable import readable
from tests.infra.aws.reading import properties

MACHINES = ("incident", "remediation", "decision")


@pytest.mark.parametrize("machine", MACHINES)
def test_the_definition_is_the_file_and_every_name_in_it_is_known(aws, machine):
    told = properties(aws, f"{machine.capitalize()}Machine")
    text = (DEFINITIONS / f"{machine}.asl.json").read_text()
    assert json.loads(told["DefinitionString"]) == json.loads(text)
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(told["DefinitionSubstitutions"])


@pytest.mark.parametrize("machine", MACHINES)
def test_a_placeholder_is_the_name_of_its_function(aws, machine):
    for name, value in properties(aws, f"{machine.capitalize()}Machine")["DefinitionSubstitutions"].items():
        if name.endswith("FunctionArn"):
            assert readable(value) == f"<{name.removesuffix('Arn')}.Arn>"


@pytest.mark.parametrize("machine", MACHINES)
def test_executions_are_logged_and_traced_without_what_they_carry(aws, machine):
    told = properties(aws, f"{machine.capitalize()}Machine")
    assert told["StateMachineType"] == "STANDARD"
    assert told["LoggingConfiguration"]["IncludeExecutionData"] is False, "it holds task tokens and alert text"
    assert told["TracingConfiguration"] == {"Enabled": True}

"""Both targets' templates, synthesized once: what the emulator cannot check is asserted on them."""

from typing import Any

import pytest

from infra.aws.synthesis import template


@pytest.fixture(scope="session")
def aws() -> dict[str, Any]:
    return template({"target": "aws"})


@pytest.fixture(scope="session")
def local() -> dict[str, Any]:
    return template({"target": "local", "api_url": "http://127.0.0.1:4599/_aws/execute-api/{api}/$default"})

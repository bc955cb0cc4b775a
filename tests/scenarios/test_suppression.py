"""Does a silence on the deployed stack keep an alert from paging, lose nothing, and let it page when it ends?"""

import json
from typing import Any

from tests.scenarios.driving import Stack, eventually, unique


def silence(stack: Stack, *arguments: str) -> Any:
    ran = stack.command("silence", *arguments, "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_what_is_silenced_is_recorded_unpaged_and_pages_when_the_silence_is_expired(stack: Stack) -> None:
    """Traps 13, 14 and 16."""
    service = unique("hushed")
    made = silence(stack, "add", "--match", f"service={service}", "--for", "1h", "--reason", "the queue moves")
    stack.alert(service)
    incident = stack.incident(service)
    assert (incident["noise"], stack.pages(incident["id"])) == (True, [])
    said = [(e["text"], e["reason"]) for e in incident["timeline"] if e["text"].startswith("not paged until")]
    assert len(said) == 1
    assert said[0][0].endswith("would have been")
    assert said[0][1] == f"silenced: {made['id']} (alice, the queue moves)"
    assert silence(stack, "show", made["id"])["would_have_paged"] == 1
    assert silence(stack, "expire", made["id"], "--reason", "it moved")["fires"] == 1
    assert len(stack.paged(incident["id"])) == 1
    eventually(lambda: not stack.show(incident["id"])["noise"], "it is no noise any more")
    shown = silence(stack, "show", made["id"])
    assert (shown["state"], shown["missed"], shown["lines"][0]["outcome"]) == ("ended", 1, "fires")


def test_what_resolves_while_it_is_silenced_is_told_to_nobody(stack: Stack) -> None:
    service = unique("passing")
    made = silence(stack, "add", "--match", f"service={service}", "--for", "1h", "--reason", "the queue moves")
    stack.alert(service)
    incident = stack.incident(service)["id"]
    stack.alert(service, "resolved")
    stack.incident(service, "resolved")
    assert silence(stack, "expire", made["id"])["fires"] == 0
    assert silence(stack, "show", made["id"])["missed"] == 0
    assert stack.pages(incident) == []


def test_what_fires_while_a_service_is_deployed_is_told_if_it_outlasts_the_deployment(stack: Stack) -> None:
    """O11."""
    service = "rolled"
    assert stack.command("deploy-window", "open", service, "--version", "1.42.0").returncode == 0
    stack.alert(service)
    incident = stack.incident(service)
    assert (incident["noise"], incident["planned"], stack.pages(incident["id"])) == (True, False, [])
    assert incident["suppressed_by"].startswith(f"deploy-{service}-")
    closed = stack.command("deploy-window", "close", service)
    assert closed.returncode == 0, closed.stderr
    assert len(stack.paged(incident["id"])) == 1

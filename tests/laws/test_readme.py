"""Is README.md still true: its commands, the files it names, its table, and the output it shows?"""

import ast
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.main import get_command

from incident_bot.cli.main import app
from infra.aws import grants
from infra.aws.grants import Grant
from infra.aws.stages import Stage, discover
from infra.local.stories import STORIES
from infra.local.telling import Narrator
from infra.sources_page import PAGE, page
from tests.laws.test_recipes import FILES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = {name: (ROOT / name).read_text() for name in ("README.md", "CHANGELOG.md", "docs/adding.md")}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROSE = {name: BLOCK.sub("", text) for name, text in DOCUMENTS.items()}
LONGEST = 150  # lines
FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)*\.(?:py|md|json|yaml|txt|toml)")
MADE_UP = {"alert.json", "late.json"}  # files of whoever reads it
ROW = re.compile(r"^\| (\w+) \| `([\w/]+\.py)` \| ([\w ]+) \| .+ \| ([\w ,]+) \|$", re.MULTILINE)
TOLD = re.compile(r" *(?P<seconds>\d+\.\d) s (?P<story>\w+) +(?P<what>.+?)(?: — (?P<why>.+))?")
OUTPUT = re.compile(r"<!-- demo output -->\n```text\n(.*?)\n```\n<!-- end of demo output -->", re.DOTALL)

# What the table calls the things that `infra/aws/grants.py` names.
CALLED = {
    **dict.fromkeys(("incidents", "due", "opened"), "state"),
    **dict.fromkeys(("incident", "incident executions", "incident by token"), "incident machine"),
    **dict.fromkeys(("remediation", "remediation executions"), "remediation machine"),
    **dict.fromkeys(("archived postmortems", "archived timeline"), "archive"),
    **dict.fromkeys(("recordings", "recordings bucket", "recordings stream"), "recordings"),
    "archived quarantine": "quarantine",
    "timeline": "timeline",
    "queue": "queue",
    "dead": "dead letters",
    "streams": "streams",
    "notices": "notices",
    "bus": "event bus",
    "channel parameters": "pager keys",
    "webhook parameters": "webhook secrets",
    "action roles": "action roles",
    "*": "metrics",  # GetMetricData, which knows no resources
}
READING = {"actions": "reads targets", "facts": "reads for facts", "sources": "asks sources"}
FEEDS = {"Api": ("receive", "operate"), "EachMinute": ("sweep",), "Feeds": ("consume", "publish")}
TRIGGERS = {"receive": "HTTP", "operate": "HTTP", "sweep": "each minute", "consume": "queue", "publish": "streams"}


def touched(stage: Stage) -> set[str]:
    """What the grants let the stage touch, in the table's words."""
    found = {word for grant in grants.STAGES[stage.name] for word in _words(grant)}
    reader = grants.READERS.get(stage.name)
    return found | ({READING[reader]} if reader else set())


def _words(grant: Grant) -> Iterator[str]:
    if grant is grants.SET_ASIDE[1]:  # of the state, only what is set aside
        yield "quarantine"
        return
    yield from (CALLED[name] for name in grant.on)


def runs_on(stage: Stage) -> str:
    """The machine that runs the stage, or what triggers it."""
    for path in (ROOT / "statemachines").glob("*.asl.json"):
        if f"${{{stage.title}FunctionArn}}" in json.dumps(json.loads(path.read_text())["States"]):
            return path.name.removesuffix(".asl.json")
    return TRIGGERS[stage.name]


def wired() -> dict[str, tuple[str, ...]]:
    """Which functions the stack hands to what triggers them."""
    calls = [n for n in ast.walk(ast.parse((ROOT / "infra/aws/stack.py").read_text())) if isinstance(n, ast.Call)]
    return {
        call.func.id: tuple(k.arg or "" for k in call.keywords if "functions[" in ast.unparse(k.value))
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in FEEDS
    }


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= LONGEST


def test_it_opens_with_what_it_is_two_commands_and_their_output() -> None:
    places = [
        README.find(text) for text in ("\nAn on-call engineer", "make demo ", "make test ", "<!-- demo output -->")
    ]
    assert places == sorted(places)
    assert -1 not in places
    assert README[: places[-1]].count("\n") < 16, "the output is on the first screen"


def test_its_output_is_the_demos() -> None:
    """Line by line what the demo's narrator prints: seconds into its story, the story, what, and why."""
    (shown,) = OUTPUT.findall(README)
    told = [line for line in (TOLD.fullmatch(line) for line in shown.splitlines()) if line]
    assert len(told) >= 8, "paste what `make demo` prints"
    assert {line["story"] for line in told} <= set(STORIES)
    assert sum(bool(line["why"]) for line in told) > len(told) / 2, "it shows the reasons too"
    for line in told:
        printed = io.StringIO()
        narrator = Narrator(Console(file=printed, soft_wrap=True, highlight=False, emoji=False))
        narrator.line(line["story"], float(line["seconds"]), line["what"], line["why"] or "")
        assert printed.getvalue().rstrip() == line.group()


def test_its_pipeline_is_the_one_that_is_deployed() -> None:
    rows = {name: (file, runs, set(touches.split(", "))) for name, file, runs, touches in ROW.findall(README)}
    assert rows == {s.name: (f"{s.group}/{s.name}.py", runs_on(s), touched(s)) for s in discover()}
    assert wired() == FEEDS


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_named_is_there(document: str) -> None:
    linked = re.findall(r"\]\(([^)#:]+)\)", PROSE[document])
    spoken = [word for span in re.findall(r"`([^`\n]+)`", PROSE[document]) for word in FILE.findall(span)]
    missing = [name for name in {*linked, *spoken} - MADE_UP if not any(_places(name, document))]
    assert [name for name in missing if name not in FILES] == []


def _places(name: str, document: str) -> Iterator[Path]:
    """What a name may mean: from the root, from the document, and where functions, package and configuration are."""
    package = ROOT / "layers/incident_bot/python/incident_bot"
    folders = (ROOT, (ROOT / document).parent, ROOT / "functions", package, ROOT / "config")
    yield from (folder / name for folder in folders if (folder / name).is_file())


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_is_named_is_in_its_help(document: str) -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|[` ])make ([a-z]+)\b", "\n".join(_code(document)), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_that_is_shown_exists_with_its_options(document: str) -> None:
    root = get_command(app)
    wrong = [span for span in _code(document) if "incidentbot " in span and not _exists(root, span)]
    assert wrong == []


def _exists(root: Any, span: str) -> bool:
    """Whether the words after `incidentbot` name a command, and its options are that command's or everybody's."""
    command, options = root, {option for parameter in root.params for option in parameter.opts}
    for word in span.partition("incidentbot ")[2].split():
        if hasattr(command, "commands"):
            if word not in command.commands:
                return False
            command = command.commands[word]
            options |= {option for parameter in command.params for option in parameter.opts}
        elif word.startswith("--") and word not in options:
            return False
    return True


def _code(document: str) -> list[str]:
    """Every command that a reader could type: spans of code, indented lines, and the lines of shell blocks."""
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", PROSE[document])]
    indented = re.findall(r"^ {4}(\S.*)$", PROSE[document], re.MULTILINE)
    typed = [
        line for kind, block in BLOCK.findall(DOCUMENTS[document]) if kind == "bash" for line in block.splitlines()
    ]
    return [*spans, *indented, *typed]


def test_what_can_be_chosen_at_deploy_can_be() -> None:
    choices = (ROOT / "infra/aws/choices.py").read_text()
    known = set(re.findall(r'(?:try_get_context\(|_one_of\(node, )"(\w+)"', choices))
    (listed,) = re.findall(r"More context: (.*?)\.\n", README)
    shown = {name.partition("=")[0] for name in re.findall(r"`([\w=]+)`", listed)}
    assert shown | set(re.findall(r"-c (\w+)=", README)) <= known


def test_outputs_that_are_named_are_outputs() -> None:
    outputs = set(re.findall(r'^ {12}"(\w+)": ', (ROOT / "infra/aws/stack.py").read_text(), re.MULTILINE))
    named = set(re.findall(r"outputs? `(\w+)`|`(\w+)` of the stack", README))
    assert {name for pair in named for name in pair if name} <= outputs


def test_what_the_page_of_sources_says_is_what_they_declare() -> None:
    """A source that it does not list yet is no mistake: adding one is one file."""
    assert set(PAGE.read_text().splitlines()) - set(page().splitlines()) == set(), "run python -m infra.sources_page"


def test_the_changelog_is_kept() -> None:
    """As https://keepachangelog.com says: newest first, dated, and only its own kinds of changes."""
    text = DOCUMENTS["CHANGELOG.md"]
    releases = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert text.startswith("# Changelog\n")
    assert releases[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", release) for release in releases[1:])
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert [line for line in text.splitlines() if re.match(r"[-*] ", line) and not line.startswith("- ")] == []

"""The team's YAML files: read, checked with errors that name file, line and field, and compiled to one JSON document.

load(directory)      the team, or Invalid with every problem at once
diagnose(directory)  the problems
compile(team)        what ships in the layer
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import rfc8785

from incident_bot.configuration import channels, custom, guardrails, people, playbooks, rules, services, sources
from incident_bot.configuration.document import Document, read
from incident_bot.configuration.draft import Draft, Installed
from incident_bot.configuration.entries import entry, listed, named
from incident_bot.configuration.problem import Flaw, Problem
from incident_bot.domain.errors import Invalid
from incident_bot.domain.nearest import nearest
from incident_bot.domain.planned import Maintenance, Recurring
from incident_bot.domain.shape import dump
from incident_bot.domain.team import (
    ChannelSettings,
    Confidence,
    Correlation,
    DeployWindow,
    Group,
    Guardrails,
    Heartbeat,
    Inhibition,
    Person,
    Playbook,
    Rota,
    Rule,
    Sender,
    Service,
    StormMode,
    Team,
    Timing,
)

__all__ = ["Installed", "Problem", "compile", "diagnose", "load"]

FILES = {
    "services": ("services",),
    "people": ("people", "rotas", "groups", "default_group"),
    "rules": (
        "rules",
        "timing",
        "correlation",
        "confidence",
        "storm",
        "maintenance",
        "recurring_maintenance",
        "inhibitions",
        "deploy_windows",
        "recording",
        "records",
    ),
    "playbooks": ("playbooks",),
    "guardrails": ("limits", "freezes", "approval_ttl_seconds", "stop_after_failures"),
    "channels": ("channels",),
    "sources": ("sns_topics", "heartbeats", "senders", "custom"),
}
OPTIONAL = ("sources",)
Flaws = dict[str, list[Flaw]]


def load(directory: Path, installed: Installed | None = None) -> Team:
    """The team in that directory with its digest; Invalid, whose text lists every problem, where there are any."""
    draft, problems = _examined(directory, installed or Installed.discovered(), None)
    if problems:
        raise Invalid("\n".join(str(problem) for problem in problems))
    team = draft.team()
    return replace(team, digest=_digest(team))


def diagnose(directory: Path, installed: Installed | None = None, today: date | None = None) -> list[Problem]:
    """Everything that is wrong in that directory, by file and line.

    `today` also finds rotas that have not begun, and warns of rules, playbooks and windows whose day to be looked at
    again (`review_by`) has passed: they count as before, as nobody may be paged otherwise because a day went by.
    """
    return _examined(directory, installed or Installed.discovered(), today)[1]


def compile(team: Team) -> bytes:  # noqa: A001 - the word for what it does
    """The team as canonical JSON with its digest inside: the same team gives the same bytes."""
    return rfc8785.dumps(dump(replace(team, digest=_digest(team))))


def _digest(team: Team) -> str:
    return hashlib.sha256(rfc8785.dumps(dump(replace(team, digest="")))).hexdigest()


def _examined(directory: Path, installed: Installed, today: date | None) -> tuple[Draft, list[Problem]]:
    documents = {name: read(directory / f"{name}.yaml", optional=name in OPTIONAL) for name in FILES}
    flaws: Flaws = {name: list(document.flaws) for name, document in documents.items()}
    draft = _draft(documents, flaws, installed)
    for name, document in documents.items():
        flaws[name] += _strangers(document, FILES[name])
    checks: dict[str, Iterator[Flaw]] = {
        "services": services.check(draft),
        "people": people.check(draft, today),
        "rules": rules.check(draft),
        "playbooks": playbooks.check(draft),
        "guardrails": guardrails.check(draft),
        "channels": channels.check(draft),
        "sources": sources.check(draft, installed.labels),
    }
    problems: list[Problem] = []
    for name, document in documents.items():
        if document.content or not flaws[name]:  # a file that could not be read is wrong in one way only
            flaws[name] += checks[name]
        if today is not None:
            flaws[name] += _unreviewed(document, FILES[name], today)
        problems += sorted((document.problem(flaw) for flaw in flaws[name]), key=lambda p: p.line)
    return draft, problems


def _unreviewed(document: Document, kinds: Collection[str], today: date) -> Iterator[Flaw]:
    """What should have been reviewed by now; a day that is none was told as such."""
    for kind in kinds:
        found = document.content.get(kind)
        for index, one in enumerate(found if isinstance(found, list) else ()):
            by = one.get("review_by") if isinstance(one, dict) else None
            if type(by) is date and by < today:
                why = f"was to be reviewed by {by}: see whether it still holds, and set the day of the next review"
                yield Flaw((kind, index, "review_by"), why, warning=True)


def _draft(documents: dict[str, Document], flaws: Flaws, installed: Installed) -> Draft:
    raw = {key: value for document in documents.values() for key, value in document.content.items()}
    guards = {key: value for key, value in documents["guardrails"].content.items() if key in FILES["guardrails"]}
    who, told = flaws["people"], flaws["sources"]
    described = custom.described(raw.get("custom"), told)
    return Draft(
        installed=_with_described(installed, raw.get("custom"), described),
        services=named(Service, raw.get("services"), ("services",), flaws["services"]),
        people=named(Person, raw.get("people"), ("people",), who, key="id"),
        rotas=named(Rota, raw.get("rotas"), ("rotas",), who),
        groups=named(Group, raw.get("groups"), ("groups",), who),
        default_group=entry(str, raw.get("default_group", ""), ("default_group",), who) or "",
        rules=listed(Rule, rules.spelled_out(raw.get("rules"), flaws["rules"]), ("rules",), flaws["rules"]),
        timing=entry(Timing, raw.get("timing", {}), ("timing",), flaws["rules"]) or Timing(),
        correlation=entry(Correlation, raw.get("correlation", {}), ("correlation",), flaws["rules"]) or Correlation(),
        confidence=entry(Confidence, raw.get("confidence", {}), ("confidence",), flaws["rules"]) or Confidence(),
        storm=entry(StormMode, raw.get("storm", {}), ("storm",), flaws["rules"]) or StormMode(),
        records=rules.severity(raw["records"], ("records",), flaws["rules"]) if "records" in raw else None,
        recording=entry(bool, raw.get("recording", True), ("recording",), flaws["rules"]) is not False,
        maintenance=listed(Maintenance, raw.get("maintenance"), ("maintenance",), flaws["rules"]),
        recurring_maintenance=listed(
            Recurring, raw.get("recurring_maintenance"), ("recurring_maintenance",), flaws["rules"]
        ),
        deploy_windows=listed(DeployWindow, raw.get("deploy_windows"), ("deploy_windows",), flaws["rules"]),
        inhibitions=listed(Inhibition, raw.get("inhibitions"), ("inhibitions",), flaws["rules"]),
        playbooks=listed(Playbook, raw.get("playbooks"), ("playbooks",), flaws["playbooks"]),
        guardrails=entry(Guardrails, guards, (), flaws["guardrails"]) or Guardrails(),
        channels=named(ChannelSettings, raw.get("channels"), ("channels",), flaws["channels"], key=""),
        heartbeats=named(
            Heartbeat, rules.numbered(raw.get("heartbeats"), ("heartbeats",), told), ("heartbeats",), told
        ),
        senders=named(Sender, raw.get("senders"), ("senders",), told, key=""),
        sns_topics=listed(str, raw.get("sns_topics"), ("sns_topics",), told),
        custom=described,
        names={kind: _names(documents[file], kind) for file in FILES for kind in FILES[file]},
    )


def _with_described(installed: Installed, raw: Any, described: Mapping[str, custom.Described]) -> Installed:
    """The described sources are sources like the installed ones; of one that is flawed any label may be meant."""
    flawed = dict.fromkeys(raw if isinstance(raw, dict) else (), ("*",))
    labels = {name: tuple(one.custom.labels) for name, one in described.items()}
    return replace(installed, labels={**flawed, **labels, **installed.labels})


class _Anything(tuple[str, ...]):
    """The names of a file that could not be read: whoever refers to one of them is not to blame."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return True


def _names(document: Document, kind: str) -> Collection[str]:
    named_there = document.content.get(kind)
    if not document.content and document.flaws:
        return _Anything()
    return tuple(named_there) if isinstance(named_there, dict) else ()


def _strangers(document: Document, known: Collection[str]) -> Iterator[Flaw]:
    for key in document.content:
        if key not in known:
            yield Flaw((key,), f"does not belong into this file, which holds {', '.join(known)}", nearest(key, known))

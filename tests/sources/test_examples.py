"""Do the sources' own example payloads parse to what they promise?"""

from contextlib import suppress
from fnmatch import fnmatchcase

import pytest

from incident_bot import plugins
from incident_bot.domain.clock import instant
from incident_bot.domain.errors import Unparseable
from incident_bot.ingest.signals import identify
from incident_bot.sources import Example, Source, read
from incident_bot.sources._examples import unmet
from tests.sources.every import READY, SOURCES

READY_MADE = [described.source for described in READY.values()]
EXAMPLES = [
    pytest.param(source, example, id=f"{name}: {example.name}")
    for name, source in SOURCES.items()
    for example in source.examples
]


@pytest.mark.parametrize(("source", "example"), EXAMPLES)
def test_an_example_parses_to_what_it_expects(source: Source, example: Example) -> None:
    alerts = read(source, example.body, instant(example.received_at)).alerts

    assert list(unmet(source, example)) == []
    assert [alert.source for alert in alerts] == [expected.get("source", source.name) for expected in example.expect]


@pytest.mark.parametrize(("source", "example"), EXAMPLES)
def test_an_example_survives_unknown_fields(source: Source, example: Example) -> None:
    received_at = instant(example.received_at)

    plain = read(source, example.body, received_at)
    padded = read(source, {**example.body, "addedNextYear": {"deep": [None, 1]}}, received_at)

    assert padded == plain


@pytest.mark.parametrize(
    ("source", "example"), [p for p in EXAMPLES if isinstance(p.values[0], Source) and p.values[0].recognise]
)
def test_an_envelope_is_recognised_by_its_own_source_and_no_other(source: Source, example: Example) -> None:
    assert identify(example.body) is source
    recognising = [s.name for s in plugins.sources().values() if s.recognise and s.recognise(example.body)]
    assert recognising == [source.name]


@pytest.mark.parametrize(("source", "example"), EXAMPLES)
def test_labels_are_among_those_the_source_declares(source: Source, example: Example) -> None:
    parsed = read(source, example.body, instant(example.received_at))

    undeclared = {
        label
        for alert in parsed.alerts
        for label in alert.labels
        if not any(fnmatchcase(label, pattern) for pattern in source.labels)
    }
    assert undeclared == set()


@pytest.mark.parametrize(
    ("source", "example"),
    [p for p in EXAMPLES if isinstance(p.values[0], Source) and p.values[0].authentication],
)
def test_a_webhooks_example_is_read_by_no_other_webhook(source: Source, example: Example) -> None:
    reading = []
    for other in READY_MADE if source.name in READY else plugins.sources().values():
        with suppress(Unparseable):
            if other.authentication and read(other, example.body, instant(example.received_at)).alerts:
                reading.append(other.name)

    assert reading == ([source.name] if example.expect else [])

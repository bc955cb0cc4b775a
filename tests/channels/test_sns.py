"""Does the notices topic get what SNS takes?"""

import pytest

from incident_bot.channels import named
from incident_bot.domain.errors import NotFound, Unavailable
from incident_bot.domain.team import ChannelSettings
from tests.building import a_world
from tests.channels.messages import HOSTILE, a_message

CHANNEL = named("sns")


def published(**changes):
    world = a_world()
    delivery = CHANNEL.send(a_message(**changes), "", ChannelSettings(), world, 2.0)
    ((subject, text),) = world.notices.published
    return delivery, subject, text


def test_the_reader_of_an_e_mail_gets_all_of_it() -> None:
    delivery, subject, text = published()
    assert subject == "[Sev1] checkout: errors"
    assert text.splitlines() == [
        "[Sev1] checkout: errors",
        "",
        "What is known:",
        "- errors",
        "",
        "To: ada",
        "Runbook: https://wiki.example.com/checkout",
        "Incident: inc1",
    ]
    assert delivery.reference == "notice-1"


@pytest.mark.parametrize("title", [HOSTILE, "Fehler: Zahlung gestört" * 20, "東京" * 200, "\u202e", ""])
def test_the_subject_is_what_sns_takes(title: str) -> None:
    _, subject, text = published(title=title, text=HOSTILE)
    assert 0 < len(subject) <= 100
    assert subject.isascii()
    assert subject.isprintable()
    assert not {"\u202e", "\x1b", "@"} & set(text)
    assert "evil.test" not in text or "[:]//evil.test" in text


def test_a_topic_that_is_down_is_unavailable() -> None:
    world = a_world()
    world.notices.down = True
    with pytest.raises(Unavailable):
        CHANNEL.send(a_message(), "", ChannelSettings(), world, 2.0)


@pytest.mark.parametrize("name", ["pigeon", "__init__", "..domain.rota", ""])
def test_only_files_that_declare_a_channel_are_channels(name: str) -> None:
    with pytest.raises(NotFound):
        named(name)

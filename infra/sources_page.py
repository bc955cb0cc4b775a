"""Writes docs/sources.md: every alert source, how it comes in, how it proves itself, and how it ends, as it declares.

`python -m infra.sources_page` writes it anew; a test says when that is due.
"""

import importlib
from pathlib import Path

from incident_bot import plugins
from incident_bot.configuration.custom import READY, ready
from incident_bot.sources import Source

PAGE = Path(__file__).parent.parent / "docs" / "sources.md"
HEAD = """# Alert sources

One file each below `layers/incident_bot/python/incident_bot/sources/`, where what it reads and its example payloads
are. This page is written by `python -m infra.sources_page` from what they declare.

- A **webhook** is posted to `/v1/webhooks/NAME` of the output `ApiUrl`. It proves itself as its vendor can; the
  secret is the SSM SecureString `/<stack>/webhooks/NAME`, and while it is rotated the old one
  `/<stack>/webhooks/NAME.previous`.
- **EventBridge** events come by themselves: the stack has one rule per source, for what fires and what ends it.
- The **alarm topic** is the output `AlarmTopicArn`: name it wherever the service takes an SNS topic. Topics of other
  accounts are listed under `sns_topics` in `sources.yaml` and subscribe `POST /v1/webhooks/sns` over HTTPS;
  signatures of version 1 and 2 are checked against SNS's own certificate. An alarm's Lambda action takes the output
  `AlarmActionArn`.
- Whatever pages **PagerDuty** (Events API v2) pages the bot once its host name is the API's: `POST /v2/enqueue`. A
  routing key is `KEY` or `SERVICE:KEY` in `/<stack>/webhooks/pagerduty`, separated by spaces. The same key tells of
  changes, `POST /v2/change/enqueue`: each is kept like a deployment, and pages nobody.
- A **heartbeat** pings `POST /v1/heartbeats/NAME` after each good run and `?status=failed` after a bad one; what is
  listed under `heartbeats` in `sources.yaml` and is not heard of in time opens an incident. Each has a secret of its
  own, `/<stack>/webhooks/heartbeat/NAME`, so that one that leaks keeps no other alive; no secret is for all of them.
- Who sends faster than `senders` in `sources.yaml` allows is answered 429 with Retry-After, and a team is told.

| source | comes by | proves itself by | ends |
|---|---|---|---|
"""
DESCRIBED = """
## Described without code

An entry under `custom` in `sources.yaml` describes a source of your own ([how](adding.md#a-source-without-code));
`NAME: { use: NAME }` there takes one of these, whose file in
`layers/incident_bot/python/incident_bot/configuration/ready/` says what to set at the vendor.

| source | comes by | proves itself by | ends |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    files = "".join(_row(source, _docstring(source.name)) for source in plugins.sources().values())
    described = "".join(_row(described.source, _comment(name)) for name, described in ready().items())
    return HEAD + files + DESCRIBED + described


def _docstring(name: str) -> str:
    told = (importlib.import_module(f"incident_bot.sources.{name}").__doc__ or "").split("\n\n")[0]
    return " ".join(told.split())


def _comment(name: str) -> str:
    first, *_ = (READY / f"{name}.yaml").read_text().splitlines()
    return first.removeprefix("# ")


def _row(source: Source, about: str) -> str:
    about = about.rstrip(".")
    proof = f"`{source.authentication.challenge}`" if source.authentication else "AWS"
    ends = "by itself" if source.resolves else "by a person, or when it goes stale"
    return f"| [`{source.name}`]({source.reference})<br>{about} | {_ways(source)} | {proof} | {ends} |\n"


def _ways(source: Source) -> str:
    ways = {
        "webhook": source.authentication is not None,
        "EventBridge": bool(source.event_patterns),
        "alarm topic": any(example.body.get("Type") == "Notification" for example in source.examples),
    }
    return ", ".join(way for way, there in ways.items() if there)


if __name__ == "__main__":
    PAGE.write_text(page())

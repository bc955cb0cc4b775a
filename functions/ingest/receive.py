"""`receive`: a webhook delivery becomes messages in the signals queue, once its sender has proven itself.

An alarm's own Lambda action comes in here too: the function's policy says who may invoke it.
"""

import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from incident_bot import plugins
from incident_bot.domain import heartbeat
from incident_bot.domain.errors import Denied, Invalid, NotFound, Unauthenticated, Unavailable, Unparseable
from incident_bot.domain.shape import dump
from incident_bot.ingest import quarantine, recording, synthetic
from incident_bot.ingest.recording import Recorded
from incident_bot.ingest.signals import Sorted, acknowledged, packed, sort_out
from incident_bot.ingest.slowing import slowed
from incident_bot.ingest.webhook import AS_PAGERDUTY, Request, answer, problem, request_of
from incident_bot.payload import BODY_BYTES
from incident_bot.sources import Parsed, Rejection, Source, assigned, read
from incident_bot.stage import either, http, stage
from incident_bot.world import World

RETRY = {"retry-after": "5"}
AGAIN = "nothing is lost if you send it again"
TOLD = 1000  # rejections that an answer spells out; a response of Lambda ends at 6 MB


def receive(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Answer one webhook request: 202 only for what is safely in the queue, 503 for what the sender should repeat."""
    request = request_of(event)
    if request.path in AS_PAGERDUTY:
        from incident_bot.ingest import events_api  # noqa: PLC0415 - a webhook imports the file of its own source only

        return events_api.in_its_words(_received(world, request), request)
    if request.source == "sns":
        from incident_bot.ingest import sns  # noqa: PLC0415 - as above: most requests are none of it

        return sns.receive(world, request)
    return _received(world, request)


def _received(world: World, request: Request) -> dict[str, Any]:
    try:
        source = plugins.source(request.source, world.team.custom)
    except NotFound as missing:
        return problem(404, missing.reason, request)
    refused = _not_a_delivery(source, request)
    service, refused = ("", refused) if refused else _authenticated(world, source, request)
    if refused:
        return refused
    try:
        return slowed(world, source.sender, request) or _taken(world, source, request, service)
    except (Unavailable, Denied):
        world.metrics.count("ReceiveFailed", 1, source=source.name)
        return problem(503, f"it could not be taken now; {AGAIN}", request, headers=RETRY)


def _not_a_delivery(source: Source, request: Request) -> dict[str, Any] | None:
    if source.authentication is None:
        return problem(404, f"{source.name} has no webhook: it comes by SNS or EventBridge", request)
    if source.name == heartbeat.SOURCE and not request.heartbeat:  # one secret for all could keep any of them alive
        return problem(404, "a heartbeat pings /v1/heartbeats/NAME, with the secret of its own", request)
    if request.method != "POST":
        return problem(405, "a delivery is a POST", request, headers={"allow": "POST"})
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        return problem(415, "compressed bodies are not read", request)
    if not any(fnmatchcase(request.media_type, pattern) for pattern in source.media_types):
        wanted = source.media_types[0]
        return problem(415, f"the content type must be {wanted}", request, headers={"accept": wanted})
    return None


def _authenticated(world: World, source: Source, request: Request) -> tuple[str, dict[str, Any] | None]:
    """The service that the sender's secret is for (often none), or a refusal: over the raw body, before it is parsed.

    That a secret cannot be read is our fault, never the sender's.
    """
    if source.authentication is None or request.body is None:
        return "", problem(400, "the body is not base64, as the request says", request)
    try:
        secrets = _secrets(world, source, request)
        return source.authentication.verify(request.headers, request.body, secrets, world.now()) or "", None
    except (Unavailable, Denied, Invalid):
        world.metrics.count("ReceiveFailed", 1, source=source.name)
        return "", problem(503, f"the sender cannot be verified now; {AGAIN}", request, headers=RETRY)
    except (Unauthenticated, NotFound) as failure:
        world.metrics.count("Unauthenticated", 1, source=source.name)
        if len(request.body) > BODY_BYTES:
            return "", problem(413, f"the body is larger than {BODY_BYTES} bytes", request)
        challenge = {"www-authenticate": source.authentication.challenge}
        missing = f"{request.heartbeat or source.name} has no secret yet"
        reason = failure.reason if isinstance(failure, Unauthenticated) else missing
        return "", problem(401, reason, request, headers=challenge)


def _secrets(world: World, source: Source, request: Request) -> Sequence[str]:
    """The secrets that count. NotFound too for a heartbeat that nobody configured: no parameter is looked for that
    a stranger names."""
    if request.heartbeat and request.heartbeat not in world.team.heartbeats:
        raise NotFound(f"there is no heartbeat {request.heartbeat}")
    return world.secrets.values(_secret(source, request))


def _secret(source: Source, request: Request) -> str:
    """The parameter with the sender's secret: a heartbeat's own, so that whoever has it keeps no other one alive."""
    return f"webhooks/{source.name}/{request.heartbeat}" if request.heartbeat else f"webhooks/{source.sender}"


def _taken(world: World, source: Source, request: Request, service: str) -> dict[str, Any]:
    """Alerts into the queue first, then what is rejected into quarantine: a page waits for no archive."""
    body, delivery, now = request.body or b"", _delivery(request), world.now()
    try:
        parsed = synthetic.marked(
            world, source.name, delivery, assigned(read(source, source.decode(body), now), service)
        )
    except Unparseable as unread:
        parsed = Parsed((), (Rejection(unread.index, unread.field, unread.reason),))
    found = sort_out(parsed)
    carriers = packed(source.name, delivery, now, found.alerts, changes=parsed.changes)
    messages = [*carriers, *acknowledged(source.name, delivery, now, parsed.acknowledged)]
    enqueued, recorded = recording.carried(world, messages, body, service)
    if enqueued:
        world.queue.send(enqueued)
    if found.alerts or parsed.changes:
        world.metrics.count("AlertsReceived", found.accepted, source=source.name)
    # A note says that its parser knows it for no alert.
    nothing = not (found.alerts or parsed.acknowledged or parsed.changes or parsed.notes)
    rejected = found.rejected or ((Rejection(0, "alerts", "the delivery holds no alert"),) if nothing else ())
    if rejected:
        quarantine.keep(world, source=source.name, delivery=delivery, body=body, rejected=rejected)
    if not recorded:
        recording.keep(world, [Recorded(now, delivery, source.name, recording.text_of(body), service)])
    if rejected and not found.alerts:
        status = 413 if len(body) > BODY_BYTES else 400
        return problem(status, rejected[0].reason, request, rejected=dump(rejected[:TOLD]), delivery_id=delivery)
    return answer(202, _receipt(found, parsed, delivery))


def _receipt(found: Sorted, parsed: Parsed, delivery: str) -> dict[str, Any]:
    notes: dict[str, Any] = {"notes": list(parsed.notes)} if parsed.notes else {}
    notes |= {"acknowledged": len(parsed.acknowledged)} if parsed.acknowledged else {}
    counts = {"accepted": found.accepted, "duplicates": found.duplicates, "rejected": dump(found.rejected[:TOLD])}
    return {**counts, "delivery_id": delivery, **notes}


def _delivery(request: Request) -> str:
    """The sender's own id where it signs one (a replay is the same delivery), otherwise the request's."""
    return quarantine.plain_id(request.headers.get("webhook-id") or request.id)


def invoked(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Put what a service invoked us with into the queue as it is, to be read by `consume` like an event of a rule."""
    world.queue.send([json.dumps(event)])
    return {}


handler = either(request=http(receive), other=stage(invoked))

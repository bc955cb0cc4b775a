"""`operate`: the one API through which people see incidents and act on them; the caller's verified ARN is the actor."""

import json
from collections.abc import Mapping
from datetime import UTC
from http import HTTPStatus
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from incident_bot import remedy
from incident_bot.domain.caller import person_of
from incident_bot.domain.errors import Conflict, Denied, IncidentBotError, Invalid, NotFound, Refused
from incident_bot.domain.team import Person
from incident_bot.ingest import quarantine
from incident_bot.operating import correcting, deploying, exporting, orders, suppression, views
from incident_bot.operating.deploying import Deploying, DeployShown
from incident_bot.operating.documents import (
    ActionShown,
    ApprovalAsked,
    ApprovalShown,
    CorrectedShown,
    Decision,
    Export,
    Labelling,
    LabelShown,
    Merging,
    Order,
    Pair,
    Proposal,
    QuarantinedDelivery,
    Rate,
    Reasoned,
    Recording,
    Row,
    Shown,
    Splitting,
    Switching,
    SwitchShown,
    Taken,
    Trail,
)
from incident_bot.operating.labelling import label as label_incident
from incident_bot.operating.suppression import Expired, LedgerShown, Silencing, WindowShown
from incident_bot.stage import http
from incident_bot.state import actions, approvals, controls
from incident_bot.world import World

State = Literal["", "detected", "triaged", "active", "mitigated", "resolved", "postmortem"]
Id = Annotated[str, Path(min_length=1, max_length=200, pattern="^[A-Za-z0-9_.:-]+$")]

api = APIGatewayHttpResolver(enable_validation=True)


def operate(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Answer one request of the operator API."""
    api.append_context(world=world)
    return api.resolve(dict(event), None)  # type: ignore[arg-type]  # no route looks at Lambda's context


def _world() -> World:
    found: World = api.context["world"]
    return found


def _person() -> Person:
    """The person behind the caller's identity, which API Gateway verified; Refused for anybody else."""
    caller = api.current_event.raw_event["requestContext"].get("authorizer", {}).get("iam", {}).get("userArn", "")
    person = person_of(caller, _world().team)
    if person is None:
        raise Refused(f"{caller or 'the caller'} is no person of this team: it may only read", rule="caller")
    return person


@api.get("/v1/incidents", tags=["incidents"], summary="List the newest incidents")
def list_incidents(
    state: Annotated[State, Query()] = "",
    service: Annotated[str, Query(max_length=200)] = "",
    noise: Annotated[bool, Query(description="Whether those that are only recorded are listed too.")] = True,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[Row]:
    """The newest first; filters look through the newest 2000 of all."""
    return views.listed(_world(), state=state, service=service, noise=noise, limit=limit)


@api.get("/v1/incidents/<incident>", tags=["incidents"], summary="Show everything about one incident")
def show_incident(incident: Id) -> Shown:
    """Its timeline, facts, actions, approvals and postmortem draft."""
    return views.shown(_world(), incident)


@api.post("/v1/incidents/<incident>/acknowledge", tags=["incidents"], summary="Take an incident on")
def acknowledge(incident: Id, order: Order) -> Taken:
    """Escalation stops; a worse alert still pages."""
    person = _person()
    orders.acknowledge(_world(), incident, person, order.reason)
    return Taken(incident=incident, order="acknowledge", by=person.id)


@api.post("/v1/incidents/<incident>/resolve", tags=["incidents"], summary="Say that it is over")
def resolve(incident: Id, order: Order) -> Taken:
    """The source is asked once; the quiet period is skipped."""
    person = _person()
    orders.resolve(_world(), incident, person, order.reason)
    return Taken(incident=incident, order="resolve", by=person.id)


@api.post("/v1/incidents/<incident>/label", tags=["labels"], summary="Say whether an incident was worth a page")
def label(incident: Id, labelling: Labelling) -> LabelShown:
    """The last label of an incident counts. Later alerts of the same fingerprint are judged by it."""
    return views.labelled(label_incident(_world(), incident, _person(), labelling.label, labelling.reason))


@api.post("/v1/incidents/<incident>/split", tags=["incidents"], summary="Part alerts from an incident")
def split(incident: Id, splitting: Splitting) -> CorrectedShown:
    """They are an incident of their own, and correlation leaves both as they are. 409: an action of it is in flight."""
    person, asked = _person(), splitting.model_dump()
    done = correcting.split(_world(), incident, person, **asked)
    return CorrectedShown(incident=done.incident, groups=list(done.groups), pages=done.pages, by=person.id)


@api.post("/v1/incidents/<incident>/merge", tags=["incidents"], summary="Merge an incident into another one")
def merge(incident: Id, merging: Merging) -> CorrectedShown:
    """It ends there, and correlation leaves it so. 409: an action of it is in flight, or either is over."""
    person = _person()
    done = correcting.merge(_world(), incident, merging.into, person, merging.reason)
    return CorrectedShown(incident=done.incident, groups=list(done.groups), pages=done.pages, by=person.id)


@api.get("/v1/corrections", tags=["incidents"], summary="List the services whose alerts people joined or parted")
def list_corrections() -> list[Pair]:
    """Those corrected most often first."""
    return views.pairs(_world())


@api.get("/v1/labels", tags=["labels"], summary="List what people said of each rule's and kind of alert's incidents")
def list_labels() -> list[Rate]:
    """Those with the highest share of false positives first."""
    return views.rates(_world())


@api.post("/v1/incidents/<incident>/actions", tags=["actions"], summary="Propose an action; somebody else approves")
def propose(incident: Id, proposal: Proposal) -> ActionShown:
    """The caller is the requester. The approval that it waits for is listed with the incident."""
    return views.action(orders.propose(_world(), incident, _person(), proposal))


@api.post("/v1/actions/<action>/undo", tags=["actions"], summary="Order that an action is undone")
def undo(action: Id, order: Reasoned) -> Taken:
    """The one mutation that the kill switch does not stop."""
    person = _person()
    remedy.order_undo(_world(), action, person.id, order.reason)
    return Taken(incident=actions.read(_world().store, action).incident, order="undo", by=person.id)


@api.get("/v1/approvals/<approval>", tags=["approvals"], summary="Show a request for approval with its plan")
def show_approval(approval: Id) -> ApprovalAsked:
    """Reading decides nothing."""
    return views.approval(_world(), approval)


@api.post("/v1/approvals/<approval>", tags=["approvals"], summary="Approve or reject a plan")
def decide(approval: Id, decision: Decision) -> ApprovalShown:
    """403: the requester, or no approver. 409: used, or the digest is not current. 410: expired."""
    person = _person()
    return views.decided(
        approvals.decide(_world(), approval, decision.decision, decision.reason, decision.digest, person.id)
    )


@api.get("/v1/kill-switch", tags=["kill switch"], summary="Show the kill switch")
def show_kill_switch() -> SwitchShown:
    """It is on until somebody configured it."""
    return views.switch(controls.switch(_world().store))


@api.post("/v1/kill-switch", tags=["kill switch"], summary="Turn the kill switch on or off")
def turn_kill_switch(switching: Switching) -> SwitchShown:
    """On: nothing mutates except an ordered undo. Every change is on the trail `controls`."""
    person = _person()
    return views.switch(controls.set_kill_switch(_world(), person.id, on=switching.on, reason=switching.reason))


@api.get("/v1/silences", tags=["suppression"], summary="List silences with what they suppressed")
def list_silences(days: Annotated[int, Query(ge=0, le=90)] = 0) -> list[WindowShown]:
    """Those that wait or are active, and those that ended in the last days; newest first."""
    return suppression.windows(_world(), kind="silence", days=days)


@api.post("/v1/silences", tags=["suppression"], summary="Keep alerts from paging until a silence ends")
def add_silence(silencing: Silencing) -> WindowShown:
    """What it fits is recorded, resolves as ever, and pages if it still fires at the end. On the trail `silences`."""
    return suppression.silence(_world(), _person(), silencing)


@api.post("/v1/silences/<silence>/expire", tags=["suppression"], summary="End a silence now")
def expire_silence(silence: Id, order: Order) -> Expired:
    """What it suppressed and still fires is told at once."""
    return suppression.expire(_world(), _person(), silence, order.reason)


@api.get("/v1/ledger", tags=["suppression"], summary="List every window with what it suppressed and what was missed")
def list_ledger(days: Annotated[int, Query(ge=0, le=90)] = 7) -> list[WindowShown]:
    """Silences, maintenance, deploy windows and inhibitions; open, or ended in the last days."""
    return suppression.windows(_world(), days=days)


@api.get("/v1/ledger/<window>", tags=["suppression"], summary="Show one window with every alert that it suppressed")
def show_window(window: Id) -> LedgerShown:
    """Whom each would have woken, and how it stood when the window ended."""
    return suppression.window(_world(), window)


@api.get("/v1/deploys/<service>", tags=["suppression"], summary="List the last deployments of a service")
def list_deploys(service: Id) -> list[DeployShown]:
    """Whoever told of them; newest first."""
    return deploying.listed(_world(), service)


@api.post("/v1/deploys", tags=["suppression"], summary="Say that a deployment of a service began or ended")
def note_deploy(deploy: Deploying) -> list[DeployShown]:
    """For pipelines that no source tells of: it opens and closes the deploy windows of rules.yaml."""
    return deploying.note(_world(), _person(), deploy)


@api.get("/v1/quarantine", tags=["deliveries"], summary="List deliveries that could not be read")
def list_quarantine(days: Annotated[int, Query(ge=1, le=90)] = 14) -> list[QuarantinedDelivery]:
    """Those of the last days, newest first."""
    return [
        QuarantinedDelivery(delivery_id=q.delivery_id, source=q.source, at=q.at, reason=q.reason)
        for q in quarantine.listed(_world(), days=days)
    ]


@api.post("/v1/exports", tags=["deliveries"], summary="Get recorded deliveries, to replay them")
def export(asked: Export) -> Recording:
    """For people only, and each page is told on the trail `controls`: it shows what senders said."""
    wanted = exporting.Wanted(asked.since.astimezone(UTC), asked.until.astimezone(UTC), asked.source)
    lines, cursor = exporting.export(_world(), _person(), wanted, asked.cursor)
    return Recording(lines=lines, cursor=cursor)


@api.get("/v1/audit/<subject>", tags=["audit"], summary="Read a hash-chained timeline as it is stored")
def read_trail(subject: Id) -> Trail:
    """Of an incident, of the `controls` or the `silences`; verify it with `incidentbot audit verify`."""
    return views.trail(_world(), subject)


STATUSES: tuple[tuple[type[IncidentBotError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (Invalid, HTTPStatus.BAD_REQUEST),
    (Conflict, HTTPStatus.CONFLICT),
    (Denied, HTTPStatus.BAD_GATEWAY),
)


@api.exception_handler([Refused, NotFound, Invalid, Conflict, Denied])
def refused(error: IncidentBotError) -> Response[str]:
    """What is wrong with the request (or with what the bot itself may do), as a problem document."""
    if isinstance(error, Refused):
        return _problem(HTTPStatus(error.status), error.reason, rule=error.rule)
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    return _problem(status, str(error))


@api.exception_handler(RequestValidationError)
def malformed(error: RequestValidationError) -> Response[str]:
    """Every field that is wrong."""
    wrong = (f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors())
    return _problem(HTTPStatus.BAD_REQUEST, "; ".join(wrong))


@api.not_found
def nowhere(_: NotFoundError) -> Response[str]:
    """No such route."""
    return _problem(HTTPStatus.NOT_FOUND, "there is no such operation; docs/openapi.json describes them all")


def _problem(status: HTTPStatus, detail: str, **more: str) -> Response[str]:
    document = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail, **more}
    return Response(status, "application/problem+json", json.dumps(document))


handler = http(operate)

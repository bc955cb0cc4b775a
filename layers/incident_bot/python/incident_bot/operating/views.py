"""What people are shown: incidents, approvals, the kill switch and audit trails, read together from the table."""

from typing import Any

from incident_bot.domain.incident import Incident
from incident_bot.domain.label import Labelled
from incident_bot.domain.shape import dump, load
from incident_bot.operating.documents import (
    ActionShown,
    ApprovalAsked,
    ApprovalShown,
    Entry,
    FactFound,
    LabelShown,
    Pair,
    Rate,
    Row,
    SeriesShown,
    Shown,
    SwitchShown,
    Trail,
    Vote,
)
from incident_bot.state import actions, approvals, controls, corrections, facts, incidents, keys, labels, silences
from incident_bot.state.actions import Remediation
from incident_bot.state.approvals import Approval
from incident_bot.state.controls import Switch
from incident_bot.world import World

LOOKED_THROUGH = 2000
PORTION = 200
ENTRY = ("incident", "seq", "at", "actor", "kind", "text", "reason", "hash")


def listed(world: World, *, state: str = "", service: str = "", noise: bool = True, limit: int = 200) -> list[Row]:
    """The newest incidents that are asked for; only among the newest `LOOKED_THROUGH`, however few fit.

    Without `noise`, what is only recorded is left out; what is held may page yet and is not.
    """
    wanted = world.store.opened(limit=LOOKED_THROUGH if state or service or not noise else limit)
    rows: list[Row] = []
    for start in range(0, len(wanted), PORTION):
        found = world.store.get_many(portion := wanted[start : start + PORTION])
        here = (load(Incident, found[key]) for key in portion if key in found)
        rows += [Row(**_row(one)) for one in here if noise or not one.noise or "hold" in one.clocks]
        rows = [row for row in rows if state in ("", row.state) and service in ("", row.service)]
        if len(rows) >= limit:
            break
    return rows[:limit]


def shown(world: World, identifier: str) -> Shown:
    """Everything about one incident; NotFound."""
    incident = incidents.read(world.store, identifier)
    found = world.store.get_many([keys.postmortem(identifier), keys.label(identifier)])
    postmortem, label = found.get(keys.postmortem(identifier), {}), found.get(keys.label(identifier))
    return Shown(
        **_row(incident),
        owner=incident.owner,
        summary=incident.summary,
        category=incident.category,
        confidence=incident.confidence,
        evidence=incident.evidence,
        started_at=incident.started_at,
        acknowledged_by=incident.acknowledged_by,
        commander=incident.commander,
        reopens=incident.reopens,
        merged_into=incident.merged_into,
        suppressed_by=incident.suppressed_by,
        planned=incident.suppressed_by.startswith("maintenance-"),
        config_digest=incident.config_digest,
        series=_series(incident),
        timeline=[Entry(**{name: e[name] for name in ENTRY[1:]}) for e in incidents.timeline(world.store, identifier)],
        facts=_facts(world, identifier),
        actions=[action(remediation) for remediation in actions.of(world.store, identifier)],
        approvals=[decided(approval) for approval in approvals.of(world.store, identifier)],
        label=labelled(load(Labelled, label)) if label else None,
        postmortem=postmortem.get("markdown"),
    )


def labelled(found: Labelled) -> LabelShown:
    """An incident's label."""
    return LabelShown(label=found.label, by=found.by, at=found.at, reason=found.reason)


def rates(world: World) -> list[Rate]:
    """What people said of the incidents of each rule and each kind of alert, those with most false positives first."""
    found = [
        Rate(
            of="rule" if of == "rule" else "kind",
            name=name,
            actionable=tally.actionable,
            false_positive=tally.false_positive,
            false_positive_rate=tally.false_positive / tally.total,
        )
        for of, name, tally in labels.rates(world.store)
        if tally.total
    ]
    return sorted(found, key=lambda rate: (-rate.false_positive_rate, -rate.false_positive, rate.of, rate.name))


def pairs(world: World) -> list[Pair]:
    """Pairs of services that people corrected, the most often corrected first."""
    found = [Pair(services=pair, joined=joined, parted=parted) for pair, joined, parted in corrections.of(world.store)]
    return sorted(found, key=lambda pair: (-(pair.joined + pair.parted), pair.services))


def approval(world: World, identifier: str) -> ApprovalAsked:
    """One approval with the plan it is about; NotFound. One whose time is over is expired by this look at it."""
    approvals.expire(world, identifier)
    found = approvals.read(world.store, identifier)
    plan = dump(actions.read(world.store, found.action).plan)
    return ApprovalAsked(**decided(found).model_dump(), plan=plan)


def switch(found: Switch) -> SwitchShown:
    """The kill switch."""
    return SwitchShown(on=found.on, by=found.by, reason=found.reason, at=found.at)


def trail(world: World, subject: str) -> Trail:
    """The timeline of an incident, of the controls or of the silences; NotFound."""
    if subject == controls.TRAIL:
        found = controls.switch(world.store)
        seq, head = found.seq, found.head
    elif subject == silences.TRAIL:
        silenced = silences.read(world.store)
        seq, head = silenced.seq, silenced.head
    else:
        incident = incidents.read(world.store, subject)
        seq, head = incident.seq, incident.head
    entries = [{name: e[name] for name in ENTRY if name in e} for e in incidents.timeline(world.store, subject)]
    return Trail(subject=subject, seq=seq, head=head, entries=entries)


def _row(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "state": incident.state.value,
        "severity": incident.severity.label,
        "service": incident.service,
        "title": incident.title,
        "opened_at": incident.opened_at,
        "resolved_at": incident.resolved_at,
        "alerts": incident.alerts,
        "pages": incident.pages,
        "noise": incident.noise,
    }


def _series(incident: Incident) -> list[SeriesShown]:
    return [
        SeriesShown(
            fingerprint=fingerprint,
            group=one.group,
            title=one.title,
            source=one.source,
            service=one.service,
            severity=one.severity.label if one.severity else "",
            since=one.since,
        )
        for fingerprint, one in incident.firing.items()
    ]


def _facts(world: World, identifier: str) -> dict[str, FactFound]:
    return {
        name: FactFound(
            text=record.text,
            value=record.value,
            source=record.source,
            as_of=record.as_of,
            gathered_at=record.gathered_at,
            failure=record.failure,
        )
        for name, record in facts.of(world.store, identifier).items()
    }


def action(remediation: Remediation) -> ActionShown:
    """One action with its plan."""
    return ActionShown(
        id=remediation.id,
        action=remediation.action,
        target=", ".join(remediation.plan.targets),
        mode=remediation.mode,
        state=remediation.state,
        plan_digest=remediation.digest,
        playbook=remediation.playbook,
        requester=remediation.requester,
        approval=remediation.approval,
        verdict=remediation.verdict,
        rule=remediation.rule,
        reason=remediation.reason,
        outcome=remediation.outcome,
        text=remediation.text,
        plan=dump(remediation.plan),
    )


def decided(found: Approval) -> ApprovalShown:
    """One approval with its decisions."""
    return ApprovalShown(
        id=found.id,
        incident=found.incident,
        action=found.action,
        digest=found.digest,
        state=found.state,
        created_at=found.created_at,
        expires_at=found.expires_at,
        requester=found.requester,
        needed=found.needed,
        role=found.role,
        decisions=[
            Vote(person=v.person, decision=v.decision, reason=v.reason, at=v.at, via=v.via) for v in found.decisions
        ],
        text=found.text,
    )

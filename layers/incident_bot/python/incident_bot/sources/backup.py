"""AWS Backup: a backup, copy or restore that does not end well fires for its resource, the next that does resolves.

A backup and a copy are told apart by the vault they go to, a restore by the recovery point it comes from. What nobody
tries again ends by staleness or by a person.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.arn import name_of
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import mapping, prose, shown, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import Event, opened, recognises, sent
from incident_bot.sources._fields import labelled, spelled

BACKUP, COPY, RESTORE = "Backup Job State Change", "Copy Job State Change", "Restore Job State Change"
JOBS = {BACKUP: "Backup", COPY: "Copy", RESTORE: "Restore"}
ENDS = {
    "FAILED": (Status.FIRING, "failed"),
    "ABORTED": (Status.FIRING, "was stopped"),
    "EXPIRED": (Status.FIRING, "did not start in time"),
    "PARTIAL": (Status.FIRING, "succeeded in part only"),
    "COMPLETED": (Status.RESOLVED, "succeeded"),
}
NOT_ENDED = ("CREATED", "PENDING", "RUNNING", "ABORTING")
FORMS = ("%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ", "%b %d, %Y %I:%M:%S %p")  # AWS Backup uses them all


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """One alert about the resource, none where the job goes on."""
    event = opened(body, received_at)
    named = "state" if "state" in event.detail else "status"  # restores have the second, but for their beginning
    state = text(event.detail, named, required=True, path="detail.").upper()
    if state in NOT_ENDED:
        return Parsed((), notes=(f"the job has not ended: {state}",))
    if state not in ENDS:
        field = f"detail.{named}"
        raise Unparseable(f"{field} is none of {', '.join(ENDS)}: {shown(state)!r}", field=field)
    return Parsed((_alert(event, state),))


def _alert(event: Event, state: str) -> Alert:
    job, job_name = event.detail, JOBS.get(event.kind, "Backup")
    resource, series = _resource(event), _series(event)
    status, ended = ENDS[state]
    ended_at = min(spelled(job, "completionDate", *FORMS) or event.at, event.at)
    page = {"Backup": "jobs", "Copy": "copyjobs", "Restore": "restorejobs"}[job_name]
    return Alert(
        source="backup",
        title=f"{job_name} of {name_of(resource) if resource else text(job, 'resourceType') or 'a resource'} {ended}",
        status=status,
        identity={**event.place, "job": job_name, **series},
        occurred_at=ended_at,
        started_at=ended_at,
        resource=resource,
        summary=prose(job, "statusMessage").strip('"'),
        labels=event.place
        | labelled(
            job=job_name,
            state=state,
            resource_type=job.get("resourceType"),
            vault=job.get("backupVaultName"),
            plan=mapping(job, "createdBy").get("backupPlanId"),
        ),
        links=console_links(event.partition, event.region, f"backup/home?region={event.region}#/{page}"),
    )


def _resource(event: Event) -> str:
    """What is backed up, copied or restored; a restore that failed early names only what it comes from."""
    names = ("resourceArn", "sourceResourceArn", "recoveryPointArn")
    found = (text(event.detail, name, path="detail.") for name in names)
    return next((arn for arn in found if arn.startswith("arn:")), event.resource)


def _series(event: Event) -> dict[str, str]:
    job = event.detail
    if event.kind == RESTORE:
        return {"from": text(job, "recoveryPointArn") or event.resource or text(job, "restoreJobId", required=True)}
    vault = text(job, "destinationBackupVaultArn" if event.kind == COPY else "backupVaultArn")
    return {"resource": text(job, "resourceArn", required=True, path="detail."), "vault": vault}


_TABLE = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders"
_VAULT = "arn:aws:backup:eu-central-1:111122223333:backup-vault:nightly"
_AWAY = "arn:aws:backup:eu-west-1:111122223333:backup-vault:away"
_BACKUP: Mapping[str, Any] = {
    "backupJobId": "34176239-e96d-4e1d-9fad-529dbb3c3556",
    "backupVaultArn": _VAULT,
    "backupVaultName": "nightly",
    "bytesTransferred": "0",
    "creationDate": "2026-01-15T09:50:07.392Z",
    "completionDate": "2026-01-15T09:58:12.234Z",
    "createdBy": {"backupPlanId": "bde0f455"},
    "iamRoleArn": "arn:aws:iam::111122223333:role/backup",
    "resourceArn": _TABLE,
    "resourceType": "DynamoDB",
    "state": "FAILED",
    "statusMessage": '"Access was denied to the key of the vault"',
    "percentDone": 0,
}
_COPY: Mapping[str, Any] = {
    "copyJobId": "47C8EF56",
    "resourceArn": _TABLE,
    "resourceType": "DynamoDB",
    "sourceBackupVaultArn": _VAULT,
    "destinationBackupVaultArn": _AWAY,
    "destinationRecoveryPointArn": {},
    "state": "PARTIAL",
    "completionDate": "Jan 15, 2026 9:57:28 AM",
}
_POINT = "arn:aws:backup:eu-central-1:111122223333:recovery-point:6f7fc1f8"
_PLACE = {"account": "111122223333", "region": "eu-central-1"}
_IDENTITY = {**_PLACE, "job": "Backup", "resource": _TABLE, "vault": _VAULT}


def _job(kind: str, detail: Mapping[str, Any], *resources: str, **changes: Any) -> Mapping[str, Any]:
    return sent("aws.backup", kind, {k: v for k, v in {**detail, **changes}.items() if v is not None}, *resources)


SOURCE = Source(
    name="backup",
    reference="https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html",
    parse=parse,
    labels=("account", "region", "job", "state", "resource_type", "vault", "plan"),
    recognise=recognises("aws.backup", *JOBS),
    event_patterns=(
        {
            "source": ["aws.backup"],
            "detail-type": list(JOBS),
            "detail": {"$or": [{"state": list(ENDS)}, {"status": list(ENDS)}]},
        },
    ),
    repeats_within_seconds=25 * 3600,  # most plans try again the next night
    slow_seconds=300,
    examples=(
        Example(
            "a backup failed",
            _job(BACKUP, _BACKUP),
            (
                {
                    "title": "Backup of orders failed",
                    "status": "firing",
                    "severity": None,
                    "identity": _IDENTITY,
                    "resource": _TABLE,
                    "summary": "Access was denied to the key of the vault",
                    "occurred_at": "2026-01-15T09:58:12.234000Z",
                    "labels": {"vault": "nightly", "plan": "bde0f455", "state": "FAILED"},
                },
            ),
        ),
        Example(
            "the next one succeeded, and says no more than it must",
            _job(BACKUP, _BACKUP, state="COMPLETED", statusMessage=None, createdBy=None, completionDate=None),
            (
                {
                    "title": "Backup of orders succeeded",
                    "status": "resolved",
                    "identity": _IDENTITY,
                    "occurred_at": "2026-01-15T10:00:03.000000Z",
                },
            ),
        ),
        Example(
            "it was copied in part, told with another spelling of times",
            _job(COPY, _COPY),
            (
                {
                    "title": "Copy of orders succeeded in part only",
                    "status": "firing",
                    "identity": {**_PLACE, "job": "Copy", "resource": _TABLE, "vault": _AWAY},
                    "occurred_at": "2026-01-15T09:57:28.000000Z",
                },
            ),
        ),
        Example(
            "a restore failed that names only the recovery point",
            _job(RESTORE, {"restoreJobId": "1B23", "resourceType": "EC2", "status": "FAILED"}, _POINT),
            (
                {
                    "title": "Restore of 6f7fc1f8 failed",
                    "identity": {**_PLACE, "job": "Restore", "from": _POINT},
                    "resource": _POINT,
                },
            ),
        ),
        Example(
            "it succeeded at the second attempt",
            _job(
                RESTORE,
                {
                    "restoreJobId": "1B24",
                    "recoveryPointArn": _POINT,
                    "sourceResourceArn": _TABLE,
                    "status": "COMPLETED",
                },
                "arn:aws:rds:eu-central-1:111122223333:snapshot:awsbackup:job-1a2b",
            ),
            (
                {
                    "title": "Restore of orders succeeded",
                    "status": "resolved",
                    "identity": {**_PLACE, "job": "Restore", "from": _POINT},
                },
            ),
        ),
        Example("a backup goes on", _job(BACKUP, _BACKUP, state="RUNNING", completionDate=None), ()),
    ),
)

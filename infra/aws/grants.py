"""Least privilege on one screen: what each stage may do, and on what. Nothing else grants a stage anything.

Resources are named symbolically; `resources.py` maps the names to ARNs. Only action roles (`action_roles.py`) may
change what belongs to a customer, and nobody may change or delete a timeline entry. What plugins declare that they read
is added to the stages that ask for it (`READERS`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Grant:
    """Actions allowed on resources (symbolic names), perhaps under a condition."""

    actions: tuple[str, ...]
    on: tuple[str, ...]
    when: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def _of(service: str, actions: str, *on: str, when: Mapping[str, Mapping[str, Any]] | None = None) -> Grant:
    return Grant(tuple(f"{service}:{action}" for action in actions.split()), on, when or {})


def _items(*prefixes: str) -> Mapping[str, Mapping[str, Any]]:
    """Only items whose partition key begins so."""
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(prefixes)}}


# A transaction needs the permission of each write inside it, and ConditionCheckItem for those that only look. Nothing
# is ever deleted: what is over says so, or ends by its TTL. What people switch (the kill switch) and what automation
# earned lie under CONTROL, out of reach of whoever reads foreign text.
READ = _of("dynamodb", "GetItem BatchGetItem Query", "incidents")
CHANGE = _of("dynamodb", "PutItem UpdateItem ConditionCheckItem", "incidents", when=_items("INC#*", "SCOPE#*"))
COUNT_PAGES = _of("dynamodb", "UpdateItem", "incidents", when=_items("BUDGET#*"))
HOLD = _of("dynamodb", "PutItem UpdateItem", "incidents", when=_items("LOCK#*", "BUDGET#*"))
LEARN = _of("dynamodb", "UpdateItem", "incidents", when=_items("STAT#*"))
CONTROL = _of("dynamodb", "PutItem UpdateItem", "incidents", when=_items("CONTROL"))
KEEP_DEPLOYS = _of("dynamodb", "PutItem", "incidents", when=_items("DEPLOYS"))
KEEP_LEDGER = _of("dynamodb", "PutItem UpdateItem", "incidents", when=_items("LEDGER", "LEDGER#*"))
WRITE_DOWN = _of("dynamodb", "PutItem", "timeline")
READ_BACK = _of("dynamodb", "Query", "timeline")
FIND_DUE = _of("dynamodb", "Query", "due")
FIND_OPENED = _of("dynamodb", "Query", "opened")
ENQUEUE = _of("sqs", "SendMessage", "queue")
TAKE = _of("sqs", "ReceiveMessage DeleteMessage GetQueueAttributes", "queue")
# SendTaskSuccess knows the execution by its token alone, but IAM checks it against the state machine.
WAKE = _of("states", "SendTaskSuccess", "incident by token")
# Failing a token names the state that is next: only who decides may, all others merely wake.
SEND_ON = _of("states", "SendTaskFailure", "incident by token")
BEGIN = (  # an execution that exists already counts only while it runs
    _of("states", "StartExecution", "incident"),
    _of("states", "DescribeExecution", "incident executions"),
)
BEGIN_REMEDIATION = (
    _of("states", "StartExecution", "remediation"),
    _of("states", "DescribeExecution", "remediation executions"),
)
TELL = _of("sns", "Publish", "notices")
PAGER_KEYS = _of("ssm", "GetParameter", "channel parameters")
WEBHOOK_SECRETS = _of("ssm", "GetParameter", "webhook parameters")
KEEP_POSTMORTEM = _of("s3", "PutObject", "archived postmortems")
KEEP_TIMELINE = _of("s3", "PutObject", "archived timeline")
FOLLOW = _of("dynamodb", "DescribeStream GetRecords GetShardIterator ListStreams", "streams")
SET_ASIDE = (
    _of("s3", "PutObject", "archived quarantine"),
    _of("dynamodb", "PutItem", "incidents", when=_items("QUARANTINE#*")),
)
RECORD = _of("firehose", "PutRecord", "recordings stream")
READ_RECORDINGS = (_of("s3", "GetObject", "recordings"), _of("s3", "ListBucket", "recordings bucket"))
MEASURE = _of("cloudwatch", "GetMetricData", "*")
BECOME = _of("sts", "AssumeRole TagSession SetSourceIdentity", "action roles")
ANNOUNCE = _of("events", "PutEvents", "bus")
GIVE_UP = _of("sqs", "SendMessage", "dead")

STATE = (READ, CHANGE)
ACTOR = (*STATE, WRITE_DOWN)  # writes an incident and its timeline
PAGE = (PAGER_KEYS, TELL, COUNT_PAGES)

STAGES: Mapping[str, tuple[Grant, ...]] = {
    # ingest
    "receive": (ENQUEUE, GIVE_UP, WEBHOOK_SECRETS, RECORD, *SET_ASIDE),
    "consume": (TAKE, ENQUEUE, *ACTOR, KEEP_LEDGER, KEEP_DEPLOYS, *BEGIN, WAKE, *PAGE, RECORD, *SET_ASIDE),
    "operate": (
        *(*ACTOR, HOLD, CONTROL, LEARN, KEEP_LEDGER, KEEP_DEPLOYS, READ_BACK, FIND_OPENED),
        *(*BEGIN, *BEGIN_REMEDIATION, WAKE, ENQUEUE, *READ_RECORDINGS),
    ),
    # triage
    "triage": ACTOR,
    "advance": (*ACTOR, ENQUEUE, *BEGIN, WAKE, SEND_ON, *PAGE),
    "sweep": (
        *(*ACTOR, HOLD, CONTROL, KEEP_LEDGER, FIND_DUE),
        *(*BEGIN, *BEGIN_REMEDIATION, WAKE, ENQUEUE, *PAGE, WEBHOOK_SECRETS),
    ),
    # enrichment
    "enrich": ACTOR,
    # remediation
    "propose": ACTOR,
    "decide": (*STATE, WAKE),
    "act": (*STATE, HOLD, BECOME),
    "check": (*STATE, MEASURE),
    "release": (*STATE, HOLD, CONTROL, WAKE),
    # closure
    "verify": ACTOR,
    "close": (*ACTOR, READ_BACK, KEEP_POSTMORTEM),
    "publish": (FOLLOW, GIVE_UP, ANNOUNCE, KEEP_TIMELINE, TELL),
}

# Whose declared reads a stage has besides: planning and acting look at targets, enrichment looks at what facts read,
# verifying asks sources.
READERS: Mapping[str, str] = {
    **dict.fromkeys(("operate", "propose", "act"), "actions"),
    "enrich": "facts",
    "verify": "sources",
}

# Every function writes its own log and its traces.
LOG = _of("logs", "CreateLogStream PutLogEvents", "own log group")
TRACE = _of("xray", "PutTraceSegments PutTelemetryRecords", "*")
EVERY_STAGE = (LOG, TRACE)


# Why some of the names stand for patterns.
PATTERNS: Mapping[str, str] = {
    "*": "X-Ray and GetMetricData know no resources: IAM takes nothing but * here.",
    "archived postmortems": "Objects are named after incidents that are not there yet.",
    "archived timeline": "Objects are named after incidents that are not there yet.",
    "archived quarantine": "Objects are named after deliveries that have not come yet.",
    "recordings": "Firehose names the objects, and the bucket holds nothing else.",
    "incident executions": "Executions are named after incidents that are not there yet; the machine is ours.",
    "remediation executions": "Executions are named after actions that are not there yet; the machine is ours.",
    "webhook parameters": "People put a secret for each source there; only the bot's own path is readable.",
    "channel parameters": "People put a key for each team there; only the bot's own path is readable.",
}


def of(stage: str) -> tuple[Grant, ...]:
    """The grants of a stage; raises ValueError where nobody decided what it may do."""
    if stage not in STAGES:
        raise ValueError(f"functions/*/{stage}.py has no grants: say in infra/aws/grants.py what it may do")
    return (*EVERY_STAGE, *STAGES[stage])

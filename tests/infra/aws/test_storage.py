"""What is kept, how, and what is left behind when the stack goes."""

import pytest

from infra.aws.readable import readable
from infra.aws.synthesis import template
from tests.infra.aws.reading import allowed, properties

KEPT = ("IncidentsTable", "TimelineTable", "ArchiveBucket", "RecordingsBucket")


def test_tables_and_archive_stay_when_the_stack_goes_and_it_says_so(aws):
    for name in KEPT:
        resource = aws["Resources"][name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    told = readable(aws["Outputs"]["LeftBehind"]["Value"])
    assert all(f"<{name}>" in told for name in KEPT)


def test_they_go_too_where_whoever_deploys_says_so():
    going = template({"removal": "destroy"})
    assert {going["Resources"][name]["DeletionPolicy"] for name in KEPT} == {"Delete"}
    assert going["Outputs"]["LeftBehind"]["Value"].startswith("Nothing")


@pytest.mark.parametrize("table", ["IncidentsTable", "TimelineTable"])
def test_a_table_is_paid_by_use_recoverable_and_followed(aws, table):
    told = properties(aws, table)
    assert [(k["AttributeName"], k["KeyType"]) for k in told["KeySchema"]] == [("PK", "HASH"), ("SK", "RANGE")]
    assert told["BillingMode"] == "PAY_PER_REQUEST"
    assert told["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert told["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert told["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}


def test_the_two_sparse_indexes_hold_keys_alone(aws):
    indexes = {i["IndexName"]: i for i in properties(aws, "IncidentsTable")["GlobalSecondaryIndexes"]}
    keys = {name: [k["AttributeName"] for k in index["KeySchema"]] for name, index in indexes.items()}
    assert keys == {"due": ["due", "due_at"], "opened": ["opened", "opened_at"]}
    assert {index["Projection"]["ProjectionType"] for index in indexes.values()} == {"KEYS_ONLY"}
    assert "GlobalSecondaryIndexes" not in properties(aws, "TimelineTable")


def test_what_is_archived_cannot_be_changed_nor_read_by_strangers(aws):
    bucket = properties(aws, "ArchiveBucket")
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Mode"] == "GOVERNANCE"
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


def test_recordings_are_private_encrypted_and_gone_after_a_month(aws):
    bucket = properties(aws, "RecordingsBucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    [encrypted] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encrypted == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    [rule] = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["ExpirationInDays"], rule["Status"]) == (30, "Enabled")
    assert "Prefix" not in rule
    assert "ObjectLockConfiguration" not in bucket
    stream = properties(aws, "RecordingsStream")
    assert stream["DeliveryStreamEncryptionConfigurationInput"] == {"KeyType": "AWS_OWNED_CMK"}
    assert stream["ExtendedS3DestinationConfiguration"]["Prefix"] == "deliveries/"


def test_recordings_come_by_firehose_alone_and_only_operate_reads_them(aws):
    ours = [one for one in allowed(aws) if "Recordings" in one.on]
    assert {one.who for one in ours if one.action == "firehose:PutRecord"} == {"ConsumeRole", "ReceiveRole"}
    assert {one.who for one in ours if one.action == "s3:PutObject"} == {"RecordingsWriter"}
    assert {one.who for one in ours if one.action == "s3:GetObject"} == {"OperateRole"}
    assert not [one for one in ours if "Delete" in one.action]


def test_queues_are_encrypted_where_they_lie(aws):
    assert all(properties(aws, queue)["SqsManagedSseEnabled"] for queue in ("SignalsQueue", "DeadLetterQueue"))

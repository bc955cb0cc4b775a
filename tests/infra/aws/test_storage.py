"""What is kept, how, and what is left behind when the stack goes."""

import pytest

from infra.aws.readable import readable
from infra.aws.synthesis import template
from tests.infra.aws.reading import properties

KEPT = ("IncidentsTable", "TimelineTable", "ArchiveBucket")


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


def test_queues_are_encrypted_where_they_lie(aws):
    assert all(properties(aws, queue)["SqsManagedSseEnabled"] for queue in ("SignalsQueue", "DeadLetterQueue"))

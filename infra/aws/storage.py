"""The two tables that are the truth, the archive that outlives them, and the recordings of what came in."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.aws.acceptance import accept
from infra.aws.naming import named
from infra.aws.recordings import Recordings

KEPT_UNCHANGED = Duration.days(365)  # how long Object Lock keeps an archived object from everybody's hands


class Storage(Construct):
    """Tables `incidents` and `timeline`, archive and recordings; all of it stays when the stack goes, unless told."""

    def __init__(self, scope: Construct, *, keep_data: bool, tls_only: bool) -> None:
        super().__init__(scope, "Storage")
        removal = RemovalPolicy.RETAIN if keep_data else RemovalPolicy.DESTROY
        self.incidents = _table(self, "Incidents", removal)
        self._index("due", "due_at")
        self._index("opened", "opened_at")
        self.timeline = _table(self, "Timeline", removal)
        self.archive = _archive(self, removal, tls_only=tls_only)
        self.recordings = Recordings(self, removal=removal, tls_only=tls_only)

    def _index(self, name: str, sort_key: str) -> None:
        """A sparse index of keys: an item is in it while it carries the attribute that names it."""
        self.incidents.add_global_secondary_index(
            index_name=name,
            partition_key=dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=sort_key, type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )


def _table(scope: Construct, name: str, removal: RemovalPolicy) -> dynamodb.Table:
    table = dynamodb.Table(
        scope,
        name,
        partition_key=dynamodb.Attribute(name="PK", type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name="SK", type=dynamodb.AttributeType.STRING),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
        time_to_live_attribute="ttl",
        removal_policy=removal,
    )
    named(table, f"{name}Table")
    return table


def _archive(scope: Construct, removal: RemovalPolicy, *, tls_only: bool) -> s3.Bucket:
    bucket = s3.Bucket(
        scope,
        "Archive",
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=tls_only,
        object_lock_default_retention=s3.ObjectLockRetention.governance(KEPT_UNCHANGED),
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        versioned=True,
        removal_policy=removal,
    )
    named(bucket, "ArchiveBucket")
    accept(
        bucket,
        "AwsSolutions-S1",
        "Only roles of this stack write here and Object Lock keeps what they wrote; who reads is CloudTrail's "
        "to record, account-wide. A second bucket for access logs would be one more store nobody reads.",
    )
    return bucket

"""Where deliveries are recorded: a stream that gathers them, and the bucket that keeps them for a month."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.aws.acceptance import accept, accept_patterns
from infra.aws.naming import named
from infra.aws.policies import document

KEPT = Duration.days(30)
PREFIX = "deliveries/"
GATHERED_SECONDS, GATHERED_MEGABYTES = 60, 1  # whichever comes first; `export` reads whole objects


class Recordings(Construct):
    """The stream `consume` writes to and the bucket that Firehose alone fills; neither is a truth: what is lost is."""

    def __init__(self, scope: Construct, *, removal: RemovalPolicy, tls_only: bool) -> None:
        super().__init__(scope, "Recordings")
        self.bucket = self._kept(removal, tls_only=tls_only)
        self._role = self._writer()
        self.stream = self._gathering()

    def _kept(self, removal: RemovalPolicy, *, tls_only: bool) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=tls_only,
            lifecycle_rules=[
                s3.LifecycleRule(expiration=KEPT, abort_incomplete_multipart_upload_after=Duration.days(1))
            ],
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=removal,
        )
        named(bucket, "RecordingsBucket")
        accept(
            bucket,
            "AwsSolutions-S1",
            "Only Firehose writes here and `operate` alone reads, which tells on its trail what it gave to whom.",
        )
        return bucket

    def _writer(self) -> iam.Role:
        objects = iam.PolicyStatement(
            actions=["s3:AbortMultipartUpload", "s3:PutObject"], resources=[self.bucket.arn_for_objects("*")]
        )
        bucket = iam.PolicyStatement(
            actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            resources=[self.bucket.bucket_arn],
        )
        role = iam.Role(
            self,
            "Writer",
            assumed_by=iam.ServicePrincipal(
                "firehose.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
            ),
            inline_policies=document([objects, bucket]),
        )
        named(role, "RecordingsWriter")
        accept_patterns(role, [objects], "Firehose names the objects, and the bucket holds nothing else.")
        return role

    def _gathering(self) -> firehose.CfnDeliveryStream:
        stream = firehose.CfnDeliveryStream(
            self,
            "Stream",
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=(
                firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(key_type="AWS_OWNED_CMK")
            ),
            extended_s3_destination_configuration=(
                firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                    bucket_arn=self.bucket.bucket_arn,
                    role_arn=self._role.role_arn,
                    prefix=PREFIX,  # and the hour, which Firehose adds
                    error_output_prefix="failed/",
                    compression_format="UNCOMPRESSED",  # what comes is compressed
                    buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                        interval_in_seconds=GATHERED_SECONDS, size_in_m_bs=GATHERED_MEGABYTES
                    ),
                )
            ),
        )
        named(stream, "RecordingsStream")
        return stream

"""Recordings of deliveries: Firehose gathers them into objects of one bucket, which costs less than objects of ours."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from incident_bot.aws.failures import translated
from incident_bot.domain.errors import Unavailable

Connect = Callable[[], Any]
PREFIX = "deliveries/"
PAUSE = timedelta(seconds=30)  # after a failure: alerts that wait behind it are worth more than their recordings


class FirehoseRecordings:
    """`Recordings` by one Firehose stream and the bucket that it delivers to."""

    def __init__(
        self, firehose: Connect, s3: Connect, now: Callable[[], datetime], *, stream: str, bucket: str
    ) -> None:
        self._firehose, self._s3, self._now = firehose, s3, now
        self._stream, self._bucket = stream, bucket
        self._failed_at: datetime | None = None

    def put(self, data: bytes) -> None:
        if self._failed_at and self._now() - self._failed_at < PAUSE:
            raise Unavailable(f"recording failed {(self._now() - self._failed_at).seconds} s ago")
        try:
            with translated("recording deliveries"):
                self._firehose().put_record(DeliveryStreamName=self._stream, Record={"Data": data})
        except Exception:
            self._failed_at = self._now()
            raise

    def keys(self, after: str, *, limit: int = 1000) -> list[str]:
        with translated("listing recordings"):
            answer = self._s3().list_objects_v2(Bucket=self._bucket, Prefix=PREFIX, StartAfter=after, MaxKeys=limit)
        return [found["Key"] for found in answer.get("Contents", ())]

    def get(self, key: str) -> bytes:
        with translated(f"reading the recording {key}"):
            body: bytes = self._s3().get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return body

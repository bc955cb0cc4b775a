"""What the product tells the outside by AWS services: the fallback topic, the archive, the event bus and metrics."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from incident_bot.aws.failures import translated
from incident_bot.domain.errors import Unavailable

Connect = Callable[[], Any]
LONGEST_SUBJECT = 100
SCHEMA = 1


class SnsNotices:
    """`Notices` by one SNS topic."""

    def __init__(self, connect: Connect, topic: str) -> None:
        self._connect = connect
        self._topic = topic

    def publish(self, subject: str, text: str) -> str:
        # SNS takes printable ASCII on one line as a subject, and refuses the page otherwise.
        line = "".join(c if c.isascii() and c.isprintable() else "?" for c in " ".join(subject.split()))
        with translated("publishing to the fallback topic"):
            answer = self._connect().publish(
                TopicArn=self._topic, Subject=line[:LONGEST_SUBJECT] or "Incident Bot", Message=text or subject
            )
        return str(answer["MessageId"])


class S3Archive:
    """`Archive` in one S3 bucket."""

    def __init__(self, connect: Connect, bucket: str) -> None:
        self._connect = connect
        self._bucket = bucket

    def put(self, key: str, body: bytes, content_type: str = "application/json") -> None:
        with translated(f"archiving {key}"):
            self._connect().put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)


class EventBus:
    """`Bus` on the product's own EventBridge bus."""

    def __init__(self, connect: Connect, bus: str) -> None:
        self._connect = connect
        self._bus = bus

    def publish(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        entry = {
            "EventBusName": self._bus,
            "Source": "incident-bot",
            "DetailType": detail_type,
            "Detail": json.dumps({"schema": SCHEMA, **detail}),
        }
        with translated(f"publishing {detail_type}"):
            answer = self._connect().put_events(Entries=[entry])
        if answer.get("FailedEntryCount"):
            raise Unavailable(f"EventBridge did not take {detail_type}: {answer['Entries'][0].get('ErrorMessage')}")


class EmbeddedMetrics:
    """`Metrics` as lines of embedded metric format: CloudWatch Logs turns them into metrics, no call is made."""

    def __init__(self, write: Callable[[str], object], namespace: str = "IncidentBot") -> None:
        self._write = write
        self._namespace = namespace

    def count(self, name: str, value: float = 1, **dimensions: str) -> None:
        directive = {
            "Namespace": self._namespace,
            "Dimensions": [sorted(dimensions)],
            "Metrics": [{"Name": name, "Unit": "Count"}],
        }
        stamp = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
        self._write(json.dumps({"_aws": stamp, name: value, **dimensions}) + "\n")

"""`sources.yaml`: what alert sources must be told about this team; a team without such sources has no such file."""

import re
from collections.abc import Iterator

from incident_bot.configuration.draft import Draft
from incident_bot.configuration.problem import Flaw

TOPIC = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov|\$\{AWS::Partition\}):sns:([a-z0-9-]+|\$\{AWS::Region\})"
    r":(\d{12}|\$\{AWS::AccountId\}):[\w.-]{1,256}"
)


def check(draft: Draft) -> Iterator[Flaw]:
    """Every topic is the ARN of one: a pattern would let in whoever may name a topic so."""
    seen: set[str] = set()
    for index, topic in draft.sns_topics:
        if not TOPIC.fullmatch(topic):
            yield Flaw(("sns_topics", index), f"must be the ARN of one SNS topic, not {topic!r}")
        if topic in seen:
            yield Flaw(("sns_topics", index), "is listed twice")
        seen.add(topic)

"""The way in: the queue that every alert passes, the topic that alarms publish to, and where failures end."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.aws.acceptance import accept
from infra.aws.naming import named

CONSUME_SECONDS = 30
ATTEMPTS = 5


class Signals(Construct):
    """The signals queue with its dead-letter queue, and the alarm topic subscribed to it."""

    def __init__(self, scope: Construct, *, tls_only: bool) -> None:
        super().__init__(scope, "Signals")
        self.dead = sqs.Queue(
            self,
            "Dead",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=tls_only,
            retention_period=Duration.days(14),
        )
        named(self.dead, "DeadLetterQueue")
        accept(self.dead, "Serverless-SQSRedrivePolicy", "It is where the others redrive to; an alarm watches it.")
        self.queue = sqs.Queue(
            self,
            "Queue",
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead, max_receive_count=ATTEMPTS),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=tls_only,
            retention_period=Duration.days(4),
            visibility_timeout=Duration.seconds(6 * CONSUME_SECONDS),
        )
        named(self.queue, "SignalsQueue")
        self.alarm_topic = sns.Topic(self, "AlarmTopic", enforce_ssl=tls_only)
        named(self.alarm_topic, "AlarmTopic")
        let_publish(self.alarm_topic, "AlarmsOfThisAccount", "cloudwatch.amazonaws.com")
        # Budgets tells nobody but a topic, and Cost Anomaly Detection sends its events to its home region alone.
        let_publish(self.alarm_topic, "CostsOfThisAccount", "budgets.amazonaws.com", "costalerts.amazonaws.com")
        let_publish(self.alarm_topic, "DatabasesOfThisAccount", "events.rds.amazonaws.com")  # event subscriptions
        self.alarm_topic.add_subscription(subscriptions.SqsSubscription(self.queue, dead_letter_queue=self.dead))


class Notices(Construct):
    """The topic that reaches people when nothing else does: fallback pages, failed executions, the bot's own alarms."""

    def __init__(self, scope: Construct, *, email: str, dead: sqs.Queue, tls_only: bool) -> None:
        super().__init__(scope, "Notices")
        self.topic = sns.Topic(self, "Topic", display_name="Incident Bot", enforce_ssl=tls_only)
        named(self.topic, "NoticesTopic")
        let_publish(self.topic, "AlarmsOfThisAccount", "cloudwatch.amazonaws.com")
        if email:
            self.topic.add_subscription(subscriptions.EmailSubscription(email, dead_letter_queue=dead))


def let_publish(topic: sns.Topic, sid: str, *services: str) -> None:
    """These services publish as themselves: only the account tells what is ours from a stranger's."""
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            principals=[iam.ServicePrincipal(service) for service in services],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(topic).account}},
        )
    )

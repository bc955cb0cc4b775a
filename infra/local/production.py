"""The small production that the bot looks after: a shop with two functions, a service in two cells and a nightly job.

    python -m infra.local.production create|state|reset|deploy-bad-orders|settle|fail-settlement

Everything is created where it is missing and left as it is where it exists; only `reset` puts things back.
"""

import argparse
import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

NAMESPACE = "Shop"
CLUSTER = "shop"
ALIAS = "live"
CHECKOUT, SEARCH = "checkout-api", "search-api"
CELLS = ("orders-cell-a", "orders-cell-b")  # the first is the canary
CELL_SIZES = {"orders-cell-a": 2, "orders-cell-b": 6}
GOOD_ORDERS, BAD_ORDERS = "orders:1", "orders:2"
SETTLEMENT = "nightly-settlement"
ROLE = "shop-runtime"
ALARM_PERIOD_SECONDS = 10

RELEASES: Mapping[str, Sequence[str]] = {
    CHECKOUT: ("release 2026.11.1 commit 4f2a9c1be703", "release 2026.11.2 commit 9be07d35a1c8"),
    SEARCH: ("release 2026.11.1 commit c81d55e02f4a", "release 2026.11.3 commit 71ab30e96d2f"),
}
ORDERS_IMAGES = ("registry.shop.example/orders:2026.11.4", "registry.shop.example/orders:2026.11.5")

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}
SETTLEMENT_MACHINE = {
    "Comment": 'Settles the day\'s payments; input {"fail": true} makes the bank refuse.',
    "StartAt": "BankAccepts",
    "States": {
        "BankAccepts": {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [
                        {"Variable": "$.fail", "IsPresent": True},
                        {"Variable": "$.fail", "BooleanEquals": True},
                    ],
                    "Next": "Refused",
                }
            ],
            "Default": "Settled",
        },
        "Refused": {
            "Type": "Fail",
            "Error": "Settlement.Failed",
            "Cause": "the bank refused the settlement file: checksum of batch 17 does not match",
        },
        "Settled": {"Type": "Succeed"},
    },
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """One CloudWatch alarm of the shop; one metric name per resource, without dimensions."""

    name: str
    metric: str
    unit: str
    threshold: float
    healthy: float
    description: str


ALARMS = (
    Alarm(
        name="checkout-api-duration-p95",
        metric="CheckoutApiDurationP95",
        unit="Milliseconds",
        threshold=1000.0,
        healthy=180.0,
        description="checkout-api answers slower than 1 s at the 95th percentile",
    ),
    Alarm(
        name="search-api-errors",
        metric="SearchApiErrorRate",
        unit="Percent",
        threshold=5.0,
        healthy=0.4,
        description="search-api fails more than 5 % of its requests",
    ),
)


@dataclass(frozen=True, slots=True)
class FunctionState:
    """What is really set on one Lambda function."""

    name: str
    live_version: str
    reserved_concurrency: int | None


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What really runs in one cell of the orders service; the task definition as `family:revision`."""

    name: str
    task_definition: str
    desired: int
    running: int


@dataclass(frozen=True, slots=True)
class ProductionState:
    """The shop at one moment, as AWS tells it."""

    functions: Mapping[str, FunctionState]
    services: Mapping[str, ServiceState]
    alarms: Mapping[str, str]


class Production:
    """Creates, breaks, reads and restores the shop, through the AWS APIs of one account and region."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """`environment`: AWS_ENDPOINT_URL, AWS_REGION and the keys, as `Emulator.environment()` gives them."""
        session = boto3.session.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment["AWS_REGION"],
        )
        patience = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 2})
        endpoint = environment.get("AWS_ENDPOINT_URL")
        client = {name: session.client(name, endpoint_url=endpoint, config=patience) for name in _SERVICES}
        self._lambda, self._ecs, self._states = client["lambda"], client["ecs"], client["stepfunctions"]
        self.cloudwatch, self._iam = client["cloudwatch"], client["iam"]

    def create(self, alarm_topic_arn: str) -> None:
        """Make whatever is missing; the alarms tell `alarm_topic_arn` when they fire and when they are over."""
        role = self._role()
        for name, releases in RELEASES.items():
            self._function(name, releases, role)
        self._orders()
        self._settlement(role)
        for alarm in ALARMS:
            self._alarm(alarm, alarm_topic_arn)

    def _role(self) -> str:
        try:
            return self._iam.get_role(RoleName=ROLE)["Role"]["Arn"]
        except self._iam.exceptions.NoSuchEntityException:
            made = self._iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))
            return made["Role"]["Arn"]

    def _function(self, name: str, releases: Sequence[str], role: str) -> None:
        try:
            self._lambda.get_function(FunctionName=name)
        except self._lambda.exceptions.ResourceNotFoundException:
            self._lambda.create_function(
                FunctionName=name,
                Description=f"{name} of the shop",
                Runtime="python3.12",
                Role=role,
                Handler="handler.handle",
                Code={"ZipFile": _code(name, releases[0])},
            )
        versions = self._lambda.list_versions_by_function(FunctionName=name)["Versions"]
        published = {version["Version"] for version in versions}
        for number, release in enumerate(releases, start=1):
            if str(number) not in published:
                self._lambda.update_function_code(FunctionName=name, ZipFile=_code(name, release))
                self._lambda.publish_version(FunctionName=name, Description=release)
        try:
            self._lambda.get_alias(FunctionName=name, Name=ALIAS)
        except self._lambda.exceptions.ResourceNotFoundException:
            self._lambda.create_alias(FunctionName=name, Name=ALIAS, FunctionVersion=str(len(releases)))

    def _orders(self) -> None:
        self._ecs.create_cluster(clusterName=CLUSTER)
        for revision, image in enumerate(ORDERS_IMAGES, start=1):
            self._task_definition(f"orders:{revision}", image)
        found = self._ecs.describe_services(cluster=CLUSTER, services=list(CELLS))["services"]
        active = {service["serviceName"] for service in found if service["status"] == "ACTIVE"}
        for cell in CELLS:
            if cell not in active:
                self._ecs.create_service(
                    cluster=CLUSTER,
                    serviceName=cell,
                    taskDefinition=GOOD_ORDERS,
                    desiredCount=CELL_SIZES[cell],
                    launchType="EC2",
                )

    def _task_definition(self, name: str, image: str) -> None:
        try:
            self._ecs.describe_task_definition(taskDefinition=name)
        except ClientError:  # ECS answers a missing one with a bare ClientException
            self._ecs.register_task_definition(
                family=name.partition(":")[0],
                networkMode="bridge",
                containerDefinitions=[{"name": "orders", "image": image, "memory": 256, "essential": True}],
            )

    def _settlement(self, role: str) -> None:
        machines = self._states.list_state_machines()["stateMachines"]
        if SETTLEMENT not in {machine["name"] for machine in machines}:
            definition = json.dumps(SETTLEMENT_MACHINE)
            self._states.create_state_machine(name=SETTLEMENT, definition=definition, roleArn=role)

    def _alarm(self, alarm: Alarm, topic_arn: str) -> None:
        """A new alarm learns that all is well before it may speak, so that its birth is no news to anybody."""
        known = self.cloudwatch.describe_alarms(AlarmNames=[alarm.name])["MetricAlarms"]
        self.cloudwatch.put_metric_alarm(
            AlarmName=alarm.name,
            AlarmDescription=alarm.description,
            Namespace=NAMESPACE,
            MetricName=alarm.metric,
            Statistic="Average",
            Period=ALARM_PERIOD_SECONDS,
            EvaluationPeriods=1,
            DatapointsToAlarm=1,
            Threshold=alarm.threshold,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="missing",
            AlarmActions=[topic_arn],
            OKActions=[topic_arn],
            ActionsEnabled=bool(known),
        )
        if not known:
            self.publish({alarm.metric: (alarm.healthy, alarm.unit)})
            self.cloudwatch.enable_alarm_actions(AlarmNames=[alarm.name])

    def publish(self, readings: Mapping[str, tuple[float, str]]) -> None:
        """Put one datum per metric: {name: (value, unit)}, at one-second resolution as 10 s alarms need on AWS."""
        data = [
            {"MetricName": name, "Value": value, "Unit": unit, "StorageResolution": 1}
            for name, (value, unit) in readings.items()
        ]
        self.cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data)

    def read_state(self) -> ProductionState:
        """What is really set: aliases, reserved concurrency, task definitions, alarm states."""
        functions = {name: self._function_state(name) for name in RELEASES}
        found = self._ecs.describe_services(cluster=CLUSTER, services=list(CELLS))["services"]
        services = {
            service["serviceName"]: ServiceState(
                name=service["serviceName"],
                task_definition=service["taskDefinition"].rpartition("/")[2],
                desired=service["desiredCount"],
                running=service["runningCount"],
            )
            for service in found
        }
        alarms = self.cloudwatch.describe_alarms(AlarmNames=[alarm.name for alarm in ALARMS])["MetricAlarms"]
        return ProductionState(functions, services, {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms})

    def _function_state(self, name: str) -> FunctionState:
        alias = self._lambda.get_alias(FunctionName=name, Name=ALIAS)
        concurrency = self._lambda.get_function_concurrency(FunctionName=name)
        return FunctionState(name, alias["FunctionVersion"], concurrency.get("ReservedConcurrentExecutions"))

    def deploy_bad_orders(self) -> None:
        """Roll the bad release out to both cells, as a hurried pipeline would."""
        self._deploy_orders(BAD_ORDERS)

    def _deploy_orders(self, task_definition: str) -> None:
        for cell in CELLS:
            self._ecs.update_service(
                cluster=CLUSTER, service=cell, taskDefinition=task_definition, desiredCount=CELL_SIZES[cell]
            )

    def run_settlement(self, *, fail: bool) -> str:
        """Start the nightly job now; the execution's ARN."""
        machines = self._states.list_state_machines()["stateMachines"]
        arn = next(machine["stateMachineArn"] for machine in machines if machine["name"] == SETTLEMENT)
        return self._states.start_execution(stateMachineArn=arn, input=json.dumps({"fail": fail}))["executionArn"]

    def reset(self) -> None:
        """Back to where every story starts: newest version live, no reserved concurrency, the good orders."""
        for name, releases in RELEASES.items():
            self._lambda.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=str(len(releases)))
            self._lambda.delete_function_concurrency(FunctionName=name)
        self._deploy_orders(GOOD_ORDERS)


_SERVICES = ("lambda", "ecs", "stepfunctions", "cloudwatch", "iam")


def _code(name: str, release: str) -> bytes:
    """A deployment package that differs from release to release and from nothing else."""
    source = (
        f'RELEASE = "{release}"\n\n\n'
        f'def handle(event, context):\n    return {{"service": "{name}", "release": RELEASE}}\n'
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("handler.py"), source)
    return buffer.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    """One order to the production that AWS_ENDPOINT_URL and the AWS_* keys name; answers with its state as JSON."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.production")
    orders = parser.add_subparsers(dest="order", required=True)
    orders.add_parser("create").add_argument("--alarm-topic", required=True, metavar="ARN")
    for name in ("state", "reset", "deploy-bad-orders", "settle", "fail-settlement"):
        orders.add_parser(name)
    options = parser.parse_args(arguments)
    production = Production(os.environ)
    match options.order:
        case "create":
            production.create(options.alarm_topic)
        case "reset":
            production.reset()
        case "deploy-bad-orders":
            production.deploy_bad_orders()
        case "settle" | "fail-settlement":
            production.run_settlement(fail=options.order == "fail-settlement")
    print(json.dumps(asdict(production.read_state()), indent=2))


if __name__ == "__main__":
    main()

"""ARNs: their shape, the kind of resource as CloudFormation names it, and what a lock on one locks."""

import re

_ARN = re.compile(
    r"arn:(?:aws[a-z-]*|\$\{AWS::Partition\}):(?P<service>[a-z0-9-]+)"
    r":(?P<region>[a-z0-9-]*|\$\{AWS::Region\}):(?P<account>\d{12}|\$\{AWS::AccountId\}|):(?P<resource>\S+)"
)
_KINDS = (
    ("lambda", r"function:[^:]+", "AWS::Lambda::Function"),
    ("lambda", r"function:[^:]+:[^:]+", "AWS::Lambda::Alias"),
    ("ecs", r"service/[^/]+/[^/]+", "AWS::ECS::Service"),
    ("states", r"stateMachine:[^:]+", "AWS::StepFunctions::StateMachine"),
    ("dynamodb", r"table/[^/]+", "AWS::DynamoDB::Table"),
    ("rds", r"cluster:[^:]+", "AWS::RDS::DBCluster"),
    ("rds", r"db:[^:]+", "AWS::RDS::DBInstance"),
    ("sqs", r"[^:/]+", "AWS::SQS::Queue"),
    ("autoscaling", r"autoScalingGroup:.+", "AWS::AutoScaling::AutoScalingGroup"),
    ("elasticloadbalancing", r"listener/.+", "AWS::ElasticLoadBalancingV2::Listener"),
    ("route53", r"hostedzone/[^/]+", "AWS::Route53::HostedZone"),
)


def flaw_of(arn: str) -> str:
    """What is wrong with this ARN; empty when nothing is."""
    if _ARN.fullmatch(arn):
        return ""
    shape = "arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE"
    return f"{arn!r} is no ARN ({shape}, pseudo parameters like ${{AWS::Region}} allowed)"


def kind_of(arn: str) -> str:
    """The resource's type as CloudFormation names it, or in the ARN's own words (`AWS::events::rule`) where it is none
    of those above, so that an action on it needs no entry there; empty for what is no ARN."""
    found = _ARN.fullmatch(arn)
    if found is None:
        return ""
    matching = (
        kind
        for service, shape, kind in _KINDS
        if found["service"] == service and re.fullmatch(shape, found["resource"])
    )
    return next(matching, f"AWS::{found['service']}::{re.split('[:/]', found['resource'])[0]}")


def name_of(arn: str) -> str:
    """What people call it: `orders-cell-a`, `checkout-api`, `checkout-api:live`."""
    found = _ARN.fullmatch(arn)
    if found is None:
        return arn
    resource = found["resource"]
    return resource.rsplit("/", 1)[-1] if "/" in resource else resource.partition(":")[2] or resource


def resolved(arn: str) -> str:
    """What a change of this target changes (a Lambda alias or version: its function); locks are keyed on it."""
    found = _ARN.fullmatch(arn)
    if found is not None and found["service"] == "lambda" and found["resource"].count(":") == 2:
        return arn.rsplit(":", 1)[0]
    return arn

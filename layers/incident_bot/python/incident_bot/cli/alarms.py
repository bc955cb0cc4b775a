"""Alarms, and the topics that they publish to, out of CloudFormation templates or as AWS describes them."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from incident_bot.domain.answer import code_of, meaning
from incident_bot.domain.arn import name_of
from incident_bot.domain.errors import Invalid
from incident_bot.domain.lint import Alarm, Around, Owners, Topic
from incident_bot.domain.team import Team

KINDS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
NO_VALUE = "<AWS::NoValue>"
Client = Callable[[str], Any]


def of_template(template: Mapping[str, Any], owns: Owners | None, rule: bool | None) -> tuple[list[Alarm], Around]:
    """The alarms of a template and what else it says; what it imports is not known. A name that CloudFormation will
    make up begins with the logical id here."""
    resources = {
        name: {"Type": str(found.get("Type")), **_resolved(found.get("Properties") or {})}
        for name, found in (template.get("Resources") or {}).items()
        if isinstance(found, Mapping)
    }
    alarms = [_alarm_of(name, found) for name, found in resources.items() if found["Type"] in KINDS]
    topics = {f"<{n}>": _topic_of(n, resources) for n, found in resources.items() if found["Type"] == "AWS::SNS::Topic"}
    rule = any(_brings_alarms(found) for found in resources.values()) if rule is None else rule
    return alarms, Around(rule, topics, owns, {alarm.name: alarm for alarm in alarms if alarm.name[:1] != "<"})


def of_account(client: Client, owns: Owners | None, rule: bool, now: Any) -> tuple[list[Alarm], Around]:
    """Every alarm of the account and region, with the topics it publishes to."""
    try:
        asked = client("cloudwatch").get_paginator("describe_alarms")
        pages = list(asked.paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"]))
    except Exception as error:
        raise meaning(error) from error
    described = (
        found for page in pages for kind in ("MetricAlarms", "CompositeAlarms") for found in page.get(kind, ())
    )
    alarms = [_alarm(found, found["AlarmName"]) for found in described]
    named = {arn for alarm in alarms for arn in (*alarm.alarm_actions, *alarm.ok_actions) if ":sns:" in arn}
    topics = {arn: found for arn in sorted(named) if (found := _described(client, arn)) is not None}
    return alarms, Around(rule, topics, owns, {alarm.name: alarm for alarm in alarms}, now)


def owners(team: Team) -> Owners:
    """What the team's services own."""
    services = team.services.values()
    resources = {of for service in services for r in service.resources for of in (r.arn, name_of(r.arn))}
    prefixes = tuple(prefix for service in services for prefix in service.alarms)
    return Owners(prefixes, frozenset(resources), f"group {team.default_group}" if team.default_group else "")


def _alarm_of(name: str, found: Mapping[str, Any]) -> Alarm:
    return _alarm(found, str(found.get("AlarmName") or name))


def _alarm(found: Mapping[str, Any], name: str) -> Alarm:
    """CloudFormation and DescribeAlarms call all of it alike."""
    arn, metric = str(found.get("AlarmArn", "")), _watched(found)
    return Alarm(
        name=name,
        arn=arn,
        account=arn.split(":")[4] if arn else "",
        alarm_actions=_several(found.get("AlarmActions")),
        ok_actions=_several(found.get("OKActions")),
        actions_enabled=str(found.get("ActionsEnabled", True)).lower() != "false",
        metric=str(metric.get("MetricName") or ""),
        statistic=str(metric.get("Statistic") or ""),
        comparison=str(found.get("ComparisonOperator") or ""),
        threshold=float(found["Threshold"]) if _is_number(found.get("Threshold")) else None,
        missing=str(found.get("TreatMissingData") or "missing"),
        rule=str(found.get("AlarmRule") or ""),
        suppressor=str(found.get("ActionsSuppressor") or ""),
        state=str(found.get("StateValue") or ""),
        state_since=found.get("StateTransitionedTimestamp") or found.get("StateUpdatedTimestamp"),
        resources=tuple(_dimensions(found)),
    )


def _watched(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one metric that it watches, which `Metrics` may name too (that of another account, or with a label does);
    nothing where it watches what is computed."""
    if found.get("MetricName"):
        return found
    (one, *more) = _queries(found) or [{}]
    queried = _object(one.get("MetricStat"))
    return {} if more else {**_object(queried.get("Metric")), "Statistic": queried.get("Stat")}


def _dimensions(found: Mapping[str, Any]) -> Iterator[str]:
    """The values of the dimensions of all metrics that it looks at, computed with or not."""
    for metric in (found, *(_object(_object(query.get("MetricStat")).get("Metric")) for query in _queries(found))):
        dimensions = metric.get("Dimensions")
        for dimension in dimensions if isinstance(dimensions, list) else ():
            yield str(_object(dimension).get("Value", ""))


def _queries(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    queries = found.get("Metrics")
    return [_object(query) for query in queries] if isinstance(queries, list) else []


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _several(value: Any) -> tuple[str, ...]:
    """A list, or what a condition of the template decides, which is one thing that is not known."""
    found = value if isinstance(value, list) else [value] if value else []
    return tuple(str(one) for one in found if one and one != NO_VALUE)


def _topic_of(name: str, resources: Mapping[str, Mapping[str, Any]]) -> Topic:
    mine, me = resources[name], f"<{name}>"
    subscribed = sum(f["Type"] == "AWS::SNS::Subscription" and f.get("TopicArn") == me for f in resources.values())
    policies = [
        document["Statement"]
        for f in resources.values()
        if f["Type"] == "AWS::SNS::TopicPolicy" and me in f.get("Topics", ())
        if "Statement" in (document := _object(f.get("PolicyDocument")))
    ]
    key = str(mine.get("KmsMasterKeyId") or "")
    owned = resources.get(re.sub(r"[<>]|\.Arn|\.KeyId", "", key), {})
    return Topic(
        subscribers=subscribed + len(mine.get("Subscription") or ()),
        policy={"Statement": [s for said in policies for s in _statements(said)]} if policies else None,
        key=key,
        key_policy=owned.get("KeyPolicy"),
    )


def _statements(said: Any) -> list[Mapping[str, Any]]:
    """The statements of a policy, which may be one alone."""
    return [one for one in (said if isinstance(said, list) else [said]) if isinstance(one, Mapping)]


def _brings_alarms(found: Mapping[str, Any]) -> bool:
    """Whether it is a rule that takes every change of alarms somewhere, as the bot's does."""
    pattern = found.get("EventPattern") if found["Type"] == "AWS::Events::Rule" else None
    types = pattern.get("detail-type", ()) if isinstance(pattern, Mapping) else ()
    narrowed = set(_object(pattern)) - {"source", "detail-type"}  # to some alarms, states, accounts or regions
    return "CloudWatch Alarm State Change" in types and not narrowed and bool(found.get("Targets"))


def _described(client: Client, arn: str) -> Topic | None:
    """A topic as SNS describes it; None where it may not be looked at. One that is gone has no subscribers."""
    try:
        said = client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    except Exception as error:  # noqa: BLE001 - the SDK's own, told by their code: it is not for this layer to import
        return Topic(subscribers=0) if code_of(error) == "NotFound" else None
    key, policy = str(said.get("KmsMasterKeyId") or ""), said.get("Policy")
    subscribed = int(said.get("SubscriptionsConfirmed") or 0)
    return Topic(subscribed, json.loads(policy) if policy else None, key, _policy_of_key(client, key))


def _policy_of_key(client: Client, key: str) -> Mapping[str, Any] | None:
    """The policy of a customer's key; None where there is none or it may not be looked at."""
    if not key or key.endswith("alias/aws/sns"):
        return None
    try:
        identifier = client("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"]
        policy: Mapping[str, Any] = json.loads(
            client("kms").get_key_policy(KeyId=identifier, PolicyName="default")["Policy"]
        )
    except Exception:  # noqa: BLE001 - as above
        return None
    return policy


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _resolved(value: Any) -> Any:
    """Intrinsic functions as text that is equal where they mean the same: `<Topic>`, `<Function.Arn>`."""
    if isinstance(value, list):
        return [_resolved(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        (function, argument), *_ = value.items()
        if function == "Ref":
            return f"<{argument}>"
        if function == "Fn::GetAtt":
            return f"<{argument if isinstance(argument, str) else '.'.join(map(str, argument))}>"
        if function == "Fn::Join":
            return str(argument[0]).join(str(part) for part in _flat(_resolved(argument[1])))
        if function == "Fn::Sub":
            text = argument if isinstance(argument, str) else argument[0]
            return re.sub(r"\$\{([^}]+)\}", r"<\1>", str(text))
        if str(function).startswith("Fn::"):
            return f"<{function} {json.dumps(argument, sort_keys=True)}>"
    return {name: _resolved(one) for name, one in value.items()}


def _flat(parts: Any) -> Iterable[Any]:
    return parts if isinstance(parts, list) else [parts]


def alarms_in(texts: Mapping[str, str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The templates of files' texts, by file; Invalid names the file that holds none."""
    for name, text in texts.items():
        try:
            document = json.loads(text)
        except ValueError as wrong:
            raise Invalid(f"is no JSON: {wrong}", where=name) from wrong
        if not isinstance(document, Mapping) or not isinstance(document.get("Resources"), Mapping):
            raise Invalid("is no CloudFormation template: it has no Resources", where=name)
        yield name, document

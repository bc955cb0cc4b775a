"""Least privilege: what roles may do is written down, narrow, and nobody's but theirs."""

import re

from incident_bot import plugins
from incident_bot.permission import Permission
from infra.aws.permissions import PERMISSIONS, render, several, statements
from infra.aws.readable import readable
from tests.infra.aws.reading import allowed, is_action_role, of, of_type, properties

# IAM's service authorization reference gives these no resource types: nothing but * can be written.
WITHOUT_RESOURCES = {
    "cloudwatch:GetMetricData": "metrics are no resources",
    "ecs:ListTaskDefinitions": "lists a family, which is no resource",
    "ecs:DescribeTaskDefinition": "task definitions have no resource-level permission for it",
    "logs:CreateLogDelivery": "Step Functions' own requirement",
    "logs:DeleteLogDelivery": "Step Functions' own requirement",
    "logs:DescribeLogGroups": "Step Functions' own requirement",
    "logs:DescribeResourcePolicies": "Step Functions' own requirement",
    "logs:GetLogDelivery": "Step Functions' own requirement",
    "logs:ListLogDeliveries": "Step Functions' own requirement",
    "logs:PutResourcePolicy": "Step Functions' own requirement",
    "logs:UpdateLogDelivery": "Step Functions' own requirement",
    "xray:GetSamplingRules": "traces are no resources",
    "xray:GetSamplingTargets": "traces are no resources",
    "xray:PutTelemetryRecords": "traces are no resources",
    "xray:PutTraceSegments": "traces are no resources",
}
READING = re.compile(r"^\w[\w-]*:(Get|List|Describe|BatchGet|Query|Filter|Lookup|Search)\w*$")
OURS = re.compile(r"^<|:(stateMachine|execution):IncidentBot-|:role/IncidentBot-|:parameter/IncidentBot/|execute-api")


def test_the_golden_file_says_what_the_template_says(aws):
    assert PERMISSIONS.read_text() == render(aws), "run `python -m infra.aws.permissions` and review its diff"


def test_nobody_is_allowed_a_pattern_of_actions(aws):
    assert [one for one in allowed(aws) if "*" in one.action] == []


def test_every_resource_is_named_where_iam_can_name_it(aws):
    everything = {one.action for one in allowed(aws) if one.on == "*"}
    assert everything <= set(WITHOUT_RESOURCES), "an ARN, or the reason why there is none"


def test_only_action_roles_may_change_what_is_not_ours(aws):
    foreign = [
        one
        for one in allowed(aws)
        if not is_action_role(one.who)
        and not READING.match(one.action)
        and one.action not in WITHOUT_RESOURCES
        and not OURS.search(one.on)
    ]
    assert foreign == []


def test_nobody_may_change_or_delete_a_timeline_entry(aws):
    on_timeline = {one.action for one in allowed(aws) if one.on == "<TimelineTable.Arn>"}
    assert on_timeline == {"dynamodb:PutItem", "dynamodb:Query"}


def test_nobody_may_delete_an_item(aws):
    assert [one for one in allowed(aws) if one.action.startswith("dynamodb:Delete")] == []


def test_the_kill_switch_and_the_locks_are_out_of_reach_of_who_reads_foreign_text(aws):
    """`release` writes what a playbook earned, which lies beside the switch; `sweep` and `operate` do its work too."""
    reach: dict[str, set[str]] = {}
    for one in allowed(aws):
        if one.action in ("dynamodb:PutItem", "dynamodb:UpdateItem") and one.on == "<IncidentsTable.Arn>":
            for prefix in (one.condition or {})["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]:
                reach.setdefault(prefix, set()).add(one.who.removesuffix("Role"))
    assert reach["CONTROL"] == {"Operate", "Release", "Sweep"}
    assert reach["LOCK#*"] == {"Act", "Operate", "Release", "Sweep"}
    assert reach["STAT#*"] == {"Operate"}  # only a verified person teaches the bot what a false positive is
    assert set(reach) == {
        "INC#*",
        "SCOPE#*",
        "BUDGET#*",
        "LOCK#*",
        "CONTROL",
        "QUARANTINE#*",
        "STAT#*",
        "LEDGER",
        "LEDGER#*",
        "DEPLOYS",
    }


def test_only_who_decides_says_by_a_token_which_state_is_next(aws):
    assert {one.who for one in allowed(aws) if one.action == "states:SendTaskFailure"} == {"AdvanceRole"}


def test_nobody_may_pass_a_role_or_touch_identities(aws):
    assert [one for one in allowed(aws) if one.action.startswith(("iam:", "organizations:"))] == []


def test_only_act_becomes_somebody_else_and_only_an_action_role(aws):
    becoming = {(one.who, one.action) for one in allowed(aws) if one.action.startswith("sts:")}
    assert becoming == {("ActRole", f"sts:{a}") for a in ("AssumeRole", "TagSession", "SetSourceIdentity")}
    reachable = {one.on for one in allowed(aws) if one.action == "sts:AssumeRole"}
    names = {
        readable(properties(aws, name)["RoleName"]) for name in of_type(aws, "AWS::IAM::Role") if is_action_role(name)
    }
    assert {arn.rpartition("/")[2] for arn in reachable} == names
    assert all(len(name.replace("<AWS::Region>", "ap-southeast-99")) <= 64 for name in names)


def test_an_action_role_trusts_only_act_which_must_say_for_which_incident_and_plan(aws):
    for name, role in of_type(aws, "AWS::IAM::Role").items():
        if is_action_role(name):
            trusted = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            assert {readable(one["Principal"]["AWS"]) for one in trusted} == {"<ActRole.Arn>"}
            (assuming,) = [one for one in trusted if "sts:AssumeRole" in several(one["Action"])]
            assert set(assuming["Condition"]["Null"]) == {"aws:RequestTag/incident", "aws:RequestTag/digest"}


def test_an_action_role_may_exactly_what_its_file_declares_for_the_listed_targets(aws):
    for name in [name for name in of_type(aws, "AWS::IAM::Role") if is_action_role(name)]:
        action = next(a for a in plugins.actions() if f"{a.replace('_', '')}actionrole" == name.lower())
        declared = plugins.actions()[action].permissions
        targets = {one.on for one in allowed(aws) if one.who == name and one.on != "*" and ":cluster/" not in one.on}
        assert targets
        assert {one.action for one in allowed(aws) if one.who == name} == {
            action for target in targets for permission in _declared(declared, target) for action in permission.actions
        }


def _declared(declare, target: str) -> tuple[Permission, ...]:
    return declare(target.replace("<", "${").replace(">", "}"))


def test_an_action_role_can_never_make_itself_more_powerful(aws):
    for name, role in of_type(aws, "AWS::IAM::Role").items():
        if is_action_role(name):
            denied = {a for s in statements(role) if s["Effect"] == "Deny" for a in several(s["Action"])}
            assert {"iam:PassRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "sts:AssumeRole"} <= denied


def test_every_function_has_a_role_of_its_own_that_only_lambda_may_take(aws):
    functions = of_type(aws, "AWS::Lambda::Function")
    roles = [readable(function["Properties"]["Role"]) for function in functions.values()]
    assert sorted(roles) == sorted(f"<{name.removesuffix('Function')}Role.Arn>" for name in functions)
    for name in functions:
        trust = properties(aws, f"{name.removesuffix('Function')}Role")["AssumeRolePolicyDocument"]["Statement"]
        assert [one["Principal"] for one in trust] == [{"Service": "lambda.amazonaws.com"}]


def test_no_policy_lies_outside_its_role(aws):
    assert of_type(aws, "AWS::IAM::Policy") == {}
    assert not any("ManagedPolicyArns" in role["Properties"] for role in of_type(aws, "AWS::IAM::Role").values())


def test_who_meets_the_outside_first_reads_no_state_and_writes_only_what_is_set_aside(aws):
    state = [one for one in allowed(aws) if one.who == "ReceiveRole" and one.action.startswith("dynamodb:")]
    assert [(one.action, one.condition) for one in state] == [
        ("dynamodb:PutItem", {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["QUARANTINE#*"]}})
    ]


def test_machines_invoke_what_they_name_and_nothing_else(aws):
    for machine in ("Incident", "Remediation", "Decision"):
        named = {readable(value) for value in properties(aws, f"{machine}Machine")["DefinitionSubstitutions"].values()}
        may = {(a, on) for a, on in of(aws, f"{machine}MachineRole") if on != "*"}
        assert {on for _, on in may} == named
        assert {a for a, _ in may} <= {"lambda:InvokeFunction", "sns:Publish", "states:StartExecution"}
        assert all(
            on.endswith(":stateMachine:IncidentBot-remediation") for a, on in may if a == "states:StartExecution"
        )


def test_a_machine_role_is_taken_by_its_machine_alone(aws):
    for machine in ("incident", "remediation", "decision"):
        (trust,) = properties(aws, f"{machine.capitalize()}MachineRole")["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "states.amazonaws.com"}
        assert readable(trust["Condition"]["StringEquals"]["aws:SourceAccount"]) == "<AWS::AccountId>"
        assert readable(trust["Condition"]["ArnEquals"]["aws:SourceArn"]).endswith(
            f":stateMachine:IncidentBot-{machine}"
        )

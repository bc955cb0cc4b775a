"""One role per action: the only credentials in the system that may change what belongs to a customer.

`act` alone may assume them, with the incident and the plan in its session tags and the approver as its source identity.
"""

from collections.abc import Iterable, Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from incident_bot.actions import Action
from incident_bot.domain.arn import kind_of
from incident_bot.domain.team import Resource, Team
from incident_bot.permission import Permission
from infra.aws.acceptance import accept_patterns
from infra.aws.naming import action_role_name, named
from infra.aws.policies import declared, document

# Whoever takes over an action's credentials must not be able to make more of them or to run code under others.
NEVER = (
    *("iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:AttachRolePolicy", "iam:AttachUserPolicy"),
    *("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:CreatePolicyVersion", "iam:CreateRole", "iam:CreateUser"),
    *("iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary", "iam:PassRole", "iam:PutGroupPolicy"),
    *("iam:PutRolePolicy", "iam:PutUserPolicy", "iam:SetDefaultPolicyVersion", "iam:UpdateAssumeRolePolicy"),
    *("iam:UpdateLoginProfile", "sts:AssumeRole", "sts:GetFederationToken", "lambda:AddPermission"),
    *("lambda:CreateFunction", "lambda:UpdateFunctionCode", "ecs:RegisterTaskDefinition", "ecs:RunTask"),
    *("cloudformation:*", "kms:CreateGrant"),
)

# Nobody assumes an action's role without saying for which incident and plan: CloudTrail shows it beside each call.
TOLD = {"Null": {"aws:RequestTag/incident": "false", "aws:RequestTag/digest": "false"}}


def targets(team: Team, action: Action) -> tuple[Resource, ...]:
    """The resources of the team's services that the action takes, by the kind that their ARNs name."""
    listed = (resource for service in team.services.values() for resource in service.resources)
    return tuple(resource for resource in listed if kind_of(resource.arn) == action.takes)


def usable(actions: Mapping[str, Action], team: Team) -> dict[str, Action]:
    """The actions that have any target at all; the others get no role, so they cannot be done."""
    return {name: action for name, action in sorted(actions.items()) if targets(team, action)}


class ActionRoles(Construct):
    """A role for each usable action, on exactly the targets that the configuration lists."""

    def __init__(self, scope: Construct, *, actions: Mapping[str, Action], team: Team, act: iam.IRole) -> None:
        super().__init__(scope, "Actions")
        for name, action in usable(actions, team).items():
            arns = [resource.arn for resource in targets(team, action)]
            statements = declared(permission for arn in arns for permission in action.permissions(arn))
            role = iam.Role(
                self,
                name,
                role_name=action_role_name(Stack.of(self), name),
                description=action.does,
                assumed_by=iam.PrincipalWithConditions(iam.ArnPrincipal(act.role_arn), TOLD),
                inline_policies=document([*statements, _never()]),
                max_session_duration=Duration.hours(1),
            )
            named(role, f"{''.join(word.capitalize() for word in name.split('_'))}ActionRole")
            _let_tag(role, act)
            accept_patterns(role, statements, "The action's file declares it; permissions.txt shows it to who reviews.")


def _let_tag(role: iam.Role, act: iam.IRole) -> None:
    actions, principals = ["sts:TagSession", "sts:SetSourceIdentity"], [iam.ArnPrincipal(act.role_arn)]
    if role.assume_role_policy:
        role.assume_role_policy.add_statements(iam.PolicyStatement(actions=actions, principals=principals))


def _never() -> iam.PolicyStatement:
    return iam.PolicyStatement(effect=iam.Effect.DENY, actions=list(NEVER), resources=["*"])


def reads(actions: Iterable[Action], team: Team) -> list[Permission]:
    """What planning these actions reads of their targets."""
    return [p for action in actions for resource in targets(team, action) for p in action.reads(resource.arn)]

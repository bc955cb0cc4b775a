"""The HTTP API: webhooks for senders that prove themselves to `receive`, everything else for people by AWS_IAM."""

import json

from aws_cdk import Fn, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.aws.acceptance import accept, accept_patterns
from infra.aws.choices import API_ID
from infra.aws.functions import StageFunction, a_log_group
from infra.aws.naming import machine_arn, named

SENDERS = {
    "ReceiveRoute": "/v1/webhooks/{source}",
    "HeartbeatRoute": "/v1/heartbeats/{name}",
    "EventsRoute": "/v2/enqueue",  # as PagerDuty's
    "ChangesRoute": "/v2/change/enqueue",
}
UNSIGNED = "Senders of alerts cannot sign for AWS: receive authenticates each as its vendor offers, on the raw body."
EVERYTHING_ELSE = "/v1/{proxy+}"
RATE = 200  # requests a second; a burst may be twice that
ACCESS_LOG = {
    "requestId": "$context.requestId",
    "at": "$context.requestTime",
    "from": "$context.identity.sourceIp",
    "caller": "$context.identity.userArn",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "milliseconds": "$context.responseLatency",
    "error": "$context.error.message",
}


class Api(Construct):
    """The API with its one stage, throttled and logged."""

    def __init__(self, scope: Construct, *, receive: StageFunction, operate: StageFunction, url: str) -> None:
        super().__init__(scope, "Api")
        self.api = apigateway.HttpApi(self, "Http", create_default_stage=False)
        named(self.api, "HttpApi")
        for name, path in SENDERS.items():
            route = self._route(name, path, receive, authorizer=apigateway.HttpNoneAuthorizer())
            accept(route, "AwsSolutions-APIG4", UNSIGNED)
        self._route("OperateRoute", EVERYTHING_ELSE, operate, authorizer=authorizers.HttpIamAuthorizer())
        self._stage()
        self.url = Fn.join(self.api.http_api_id, url.split(API_ID)) if url else self.api.api_endpoint

    def _route(
        self, name: str, path: str, function: StageFunction, *, authorizer: apigateway.IHttpRouteAuthorizer
    ) -> apigateway.HttpRoute:
        return apigateway.HttpRoute(
            self,
            name,
            http_api=self.api,
            route_key=apigateway.HttpRouteKey.with_(path, apigateway.HttpMethod.ANY),
            integration=integrations.HttpLambdaIntegration(function.node.id, function.function),
            authorizer=authorizer,
        )

    def _stage(self) -> None:
        stage = apigateway.CfnStage(
            self,
            "Stage",
            api_id=self.api.http_api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=RATE, throttling_burst_limit=2 * RATE
            ),
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=a_log_group(self, "ApiLogs").log_group_arn, format=json.dumps(ACCESS_LOG)
            ),
        )
        stage.override_logical_id("ApiStage")


class Operators(Construct):
    """What to attach to people who operate the bot: its API, and the console approval."""

    def __init__(self, scope: Construct, *, api: apigateway.HttpApi) -> None:
        super().__init__(scope, "Operators")
        everything = iam.PolicyStatement(
            actions=["execute-api:Invoke"], resources=[api.arn_for_execute_api("*", "/v1/*", "$default")]
        )
        console = iam.PolicyStatement(
            actions=["states:StartExecution"], resources=[machine_arn(Stack.of(self), "decision")]
        )
        self.policy = iam.ManagedPolicy(
            self,
            "Policy",
            description="Call Incident Bot's API and decide approvals in the Step Functions console.",
            statements=[everything, console],
        )
        named(self.policy, "OperatorPolicy")
        accept_patterns(self, [everything], "All of the bot's own API; who may decide what is people.yaml's to say.")

"""The API of the CLI and of the old product's clients: every method demands a caller that IAM knows."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.acknowledgements import acknowledge
from stacks.foreign_approvers import resource_policy
from stacks.functions import Function
from stacks.log_groups import log_group
from stacks.names import PATH
from stacks.settings import Settings

ROUTES = (
    ("GET", "releases"),
    ("GET", "releases/{id}"),
    ("POST", "releases/{id}/decision"),
    ("POST", "releases/{id}/rollback"),
    ("GET", "workloads/{id}/rollback"),
    ("GET", "workloads"),
    ("DELETE", "workloads/{id}"),
    ("GET", "workloads/{id}/ledger"),
    ("POST", "provisionpipeline"),
    ("POST", "pipelinestatus"),
    ("GET", "doctor"),
    ("GET", "slack-manifest"),
    ("GET", "openapi.json"),
)
"""Method and path of each, as ``functions/api/routes.py`` answers them."""

EVERYTHING_ELSE = ("ANY", "{proxy+}")
"""A path or a method without a route goes to the function too, which answers 404 or 405 as JSON. API Gateway itself
would answer 403 "Missing Authentication Token", which tells a client nothing. IAM is asked all the same."""

COSTLY = (("GET", "doctor"),)
"""Each call asks Slack a few dozen questions, with the one token by which the app does everything."""

_SELDOM = apigateway.MethodDeploymentOptions(
    throttling_burst_limit=2,
    throttling_rate_limit=0.5,
    # A method's own settings take the place of the stage's, all of them.
    metrics_enabled=True,
    logging_level=apigateway.MethodLoggingLevel.ERROR,
    data_trace_enabled=False,
)

STAGE = "v1"


class RestApi(Construct):
    """API Gateway before the function ``Api``."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, api: Function) -> None:
        super().__init__(scope, id)
        self.api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name="mlops",
            description="Releases, decisions, workloads, and requests for releases",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=False,
            policy=resource_policy(settings.installation, STAGE),
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                tracing_enabled=True,
                metrics_enabled=True,
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                throttling_burst_limit=100,
                throttling_rate_limit=50,
                method_options={f"/{path}/{method}": _SELDOM for method, path in COSTLY},
                access_log_destination=apigateway.LogGroupLogDestination(
                    log_group(self, "/aws/vendedlogs/apis/mlops", settings)
                ),
                access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(
                    caller=True,
                    http_method=True,
                    ip=True,
                    protocol=True,
                    request_time=True,
                    resource_path=True,
                    response_length=True,
                    status=True,
                    user=True,
                ),
            ),
        )
        self.api.deployment_stage.node.add_dependency(self._account())
        # No method has a model: the function checks bodies and parameters itself, and says where the problem is.
        validator = apigateway.RequestValidator(
            self,
            "Validator",
            rest_api=self.api,
            request_validator_name="all",
            validate_request_body=True,
            validate_request_parameters=True,
        )
        integration = apigateway.LambdaIntegration(api.function, allow_test_invoke=False)
        acknowledge(
            self.api,
            "AwsSolutions-COG4",
            "Callers are IAM principals: people with roles, and pipelines; there is no user pool",
        )
        acknowledge(
            self.api,
            "AwsSolutions-APIG3",
            "API Gateway refuses what IAM does not know and throttles the rest; a web ACL would filter known callers",
        )
        for method, path in (*ROUTES, EVERYTHING_ELSE):
            self.api.root.resource_for_path(path).add_method(
                method,
                integration,
                authorization_type=apigateway.AuthorizationType.IAM,
                request_validator=validator,
            )

    def _account(self) -> apigateway.CfnAccount:
        """The account's setting by which API Gateway may write logs at all; there is one for the whole account."""
        role = iam.Role(
            self,
            "LogRole",
            path=PATH,
            description="API Gateway writes the access logs of this account's APIs",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AmazonAPIGatewayPushToCloudWatchLogs")
            ],
        )
        acknowledge(
            role,
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
            "AmazonAPIGatewayPushToCloudWatchLogs]",
            "The one policy that API Gateway is documented to need for writing logs; it is AWS's own",
        )
        # Other APIs of the account may have come to rely on it. What stays behind gets no name, which would stand in
        # the way of the next installation.
        role.apply_removal_policy(RemovalPolicy.RETAIN)
        account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.role_arn)
        account.apply_removal_policy(RemovalPolicy.RETAIN)
        return account

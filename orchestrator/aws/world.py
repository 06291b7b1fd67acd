"""Every collaborator of the steps, made when it is first asked for: a function pays for what it uses."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from orchestrator.aws.clients import client
from orchestrator.aws.machines import StepFunctionsTasks
from orchestrator.aws.objects import S3Objects
from orchestrator.aws.settings import installation
from orchestrator.aws.table import DynamoStore
from orchestrator.core.installation import Installation
from orchestrator.core.steps.executions import Machines
from orchestrator.core.steps.reception import Places, Reception

if TYPE_CHECKING:
    from orchestrator.aws.accounts import AssumedAccounts
    from orchestrator.aws.code_commit import CodeCommitRepositories
    from orchestrator.aws.deploy_pipelines import CodePipelines
    from orchestrator.aws.examination import ExamineFunction
    from orchestrator.aws.ledger import DynamoLedgers
    from orchestrator.aws.model_cards import SageMakerModelCards
    from orchestrator.aws.model_registry import SageMakerModelRegistry
    from orchestrator.aws.outcomes import RecordOutcomeFunction
    from orchestrator.aws.source_pipelines import CodePipelineSources
    from orchestrator.core.workloads import Catalogue

EXAMINATION_SECONDS = 27
"""What an examination is waited for: API Gateway itself waits 29."""


class Starting(Protocol):
    """What the environment of every function that starts releases says."""

    @property
    def assets_bucket(self) -> str:
        """See ``Places``."""
        ...

    @property
    def packages_bucket(self) -> str:
        """See ``Places``."""
        ...

    @property
    def multi_machine_arn(self) -> str:
        """See ``Machines``."""
        ...

    @property
    def single_machine_arn(self) -> str:
        """See ``Machines``."""
        ...


class World:
    """The table, the buckets, the machines and the stages' accounts of one installation.

    ``session_name`` names the sessions in the stages' accounts: the release's id where one is at work.
    """

    def __init__(self, table_name: str, settings_parameter: str, session_name: str = "mlops-orchestrator") -> None:
        self._table_name = table_name
        self._settings_parameter = settings_parameter
        self._session_name = session_name

    @property
    def installation(self) -> Installation:
        """The settings, at most a minute old."""
        return installation(client("ssm"), self._settings_parameter)

    @cached_property
    def store(self) -> DynamoStore:
        """The table."""
        return DynamoStore(client("dynamodb"), self._table_name)

    @cached_property
    def ledgers(self) -> DynamoLedgers:
        """The audit ledgers, which stand in the table."""
        from orchestrator.aws.ledger import DynamoLedgers

        return DynamoLedgers(client("dynamodb"), self._table_name)

    @cached_property
    def objects(self) -> S3Objects:
        """The buckets."""
        return S3Objects(client("s3"))

    @cached_property
    def tasks(self) -> StepFunctionsTasks:
        """The state machines."""
        return StepFunctionsTasks(client("stepfunctions"))

    @cached_property
    def accounts(self) -> AssumedAccounts:
        """The stages' accounts."""
        from orchestrator.aws.accounts import AssumedAccounts

        return AssumedAccounts(self.installation, client("sts"), client, self._session_name)

    @cached_property
    def registry(self) -> SageMakerModelRegistry:
        """The Model Registry."""
        from orchestrator.aws.model_registry import SageMakerModelRegistry

        return SageMakerModelRegistry(client("sagemaker"))

    def outcomes(self, function_name: str) -> RecordOutcomeFunction:
        """The function that ends releases."""
        from orchestrator.aws.outcomes import RecordOutcomeFunction

        return RecordOutcomeFunction(client("lambda"), function_name)

    def examination(self, function_name: str) -> ExamineFunction:
        """The function that examines the installation."""
        from orchestrator.aws.examination import ExamineFunction

        return ExamineFunction(client("lambda", only_attempt_seconds=EXAMINATION_SECONDS), function_name)

    @cached_property
    def cards(self) -> SageMakerModelCards:
        """SageMaker's model cards."""
        from orchestrator.aws.model_cards import SageMakerModelCards

        return SageMakerModelCards(client("sagemaker"))

    @cached_property
    def repositories(self) -> CodeCommitRepositories:
        """CodeCommit."""
        from orchestrator.aws.code_commit import CodeCommitRepositories

        return CodeCommitRepositories(client("codecommit"))

    @cached_property
    def pipelines(self) -> CodePipelineSources:
        """The pipelines that fetch commits from elsewhere."""
        from orchestrator.aws.source_pipelines import CodePipelineSources

        return CodePipelineSources(client("codepipeline"))

    @cached_property
    def workload_pipelines(self) -> CodePipelines:
        """The pipelines that deploy workloads, where CodePipeline does."""
        from orchestrator.aws.deploy_pipelines import pipelines_of

        return pipelines_of(self.installation, client)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The workload types that came with the function, the organisation's own among them.

        Their schema compiler is imported by those who ask.
        """
        from orchestrator.core.workloads import load_types, own_templates, shipped_templates

        return load_types([shipped_templates(), *own_templates()])

    def reception(self, env: Starting) -> Reception:
        """The way in of releases, over this world: nothing is made before it is asked for."""
        machines = Machines(env.multi_machine_arn, env.single_machine_arn)
        return Reception(self, Places(env.assets_bucket, env.packages_bucket, machines))

    @staticmethod
    def now() -> datetime:
        """The time."""
        return datetime.now(UTC)

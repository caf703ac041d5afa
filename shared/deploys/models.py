"""What deployments are made of: the words on the wire (camelCase, as clients of the replaced system know them)."""

from __future__ import annotations

import re
import shlex
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

PORT: Final = 8080
"""Where every app listens, told to it as PORT: it does not depend on the app's size."""
ENV_BYTES: Final = 20_000
"""Of all environment variables together: what one Key Vault secret holds, with room for JSON."""
ENV_VARIABLES: Final = 100
ERROR_LENGTH: Final = 2_000


class DeploymentStatus(StrEnum):
    """Where a deployment stands. Between queued and completed they follow one another in this order."""

    IDLE = "idle"
    QUEUED = "queued"
    VALIDATING = "validating"
    PROVISIONING_CONTAINER = "provisioning_container"
    SYNCING_FILES = "syncing_files"
    BUILDING_IMAGE = "building_image"
    PUSHING_REGISTRY = "pushing_registry"
    DEPLOYING = "deploying"
    CONFIGURING_DOMAIN = "configuring_domain"
    UPDATING_DATABASE = "updating_database"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (DeploymentStatus.COMPLETED, DeploymentStatus.FAILED, DeploymentStatus.CANCELLED)


class Step(StrEnum):
    """The six steps of a deployment, in their order."""

    VALIDATION = "validation"
    CONTAINER = "container"
    SYNC = "sync"
    BUILD = "build"
    DEPLOY = "deploy"
    CLEANUP = "cleanup"


PROGRESS: Final = {
    Step.VALIDATION: 10,
    Step.CONTAINER: 20,
    Step.SYNC: 35,
    Step.BUILD: 55,
    Step.DEPLOY: 85,
    Step.CLEANUP: 100,
}
"""Percent shown when a step begins; cleanup's is shown when the deployment has completed."""

Environment = Literal["development", "staging", "production"]
DeploymentId = Annotated[str, StringConstraints(pattern=r"^dep_[A-Z2-7]{12}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
"""An id given by the caller: a path segment, a blob's folder, a document's key."""
SourceHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
GitUrl = Annotated[
    str,
    StringConstraints(
        max_length=500, pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9_~][A-Za-z0-9._~-]*)+$"
    ),
]
"""https only, and neither credentials, query nor fragment."""
GitRef = Annotated[str, StringConstraints(max_length=200, pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]*$")]
CommitSha = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
HostName = Annotated[
    str,
    StringConstraints(
        max_length=253,
        to_lower=True,
        pattern=r"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])$",
    ),
]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]


def _command(text: str) -> str:
    """Refuse what only a shell could run: commands are split into words and run as they are."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"the command cannot be split into words: {error}") from None
    if not words:
        raise ValueError("the command is empty")
    for word in words:
        if word in ("&&", "||", "|", ";", "&", ">", ">>", "<") or re.search(r"\$\(|`", word):
            raise ValueError(f"{word!r} is for a shell, and no shell runs it: put the commands into a script")
    return text


Command = Annotated[str, StringConstraints(min_length=1, max_length=1_000), AfterValidator(_command)]


class Wire(BaseModel):
    """A model whose names on the wire are camelCase."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class ContainerSize(Wire):
    """CPU cores and memory of one replica, as Container Apps offers them: 2 Gi for each core."""

    model_config = ConfigDict(frozen=True)
    cpu: Annotated[str, StringConstraints(pattern=r"^[0-4](\.(25|5|50|75|0|00))?$")] = Field(description="Cores")
    memory: Annotated[str, StringConstraints(pattern=r"^[0-8](\.[05]0?)?Gi$")]

    @model_validator(mode="after")
    def _offered(self) -> Self:
        cores = float(self.cpu)
        if not 0.25 <= cores <= 4 or float(self.memory.removesuffix("Gi")) != 2 * cores:  # noqa: PLR2004 - the offer
            raise ValueError("cpu must be 0.25 to 4 in steps of 0.25, and memory twice as many Gi, as in 1 and 2Gi")
        return self


class Scale(BaseModel):
    """How large an app is and how far it grows: one replica more for each `requests` at once or over `cpu_percent`."""

    model_config = ConfigDict(frozen=True)
    min_replicas: int
    max_replicas: int
    size: ContainerSize
    requests: int = 100
    cpu_percent: int = 70


SCALES: Final[dict[Environment, Scale]] = {
    "development": Scale(min_replicas=0, max_replicas=2, size=ContainerSize(cpu="0.5", memory="1Gi")),
    "staging": Scale(min_replicas=1, max_replicas=5, size=ContainerSize(cpu="1", memory="2Gi")),
    "production": Scale(min_replicas=2, max_replicas=10, size=ContainerSize(cpu="2", memory="4Gi")),
}


class ArchiveSource(Wire):
    """An uploaded archive, by the sha256 of its bytes: the blob deploy-sources/<organization>/<project>/<hash>."""

    model_config = ConfigDict(frozen=True)
    kind: Literal["archive"] = "archive"
    hash: SourceHash


class GitSource(Wire):
    """A commit of a public repository: `commit` where it is given, else the newest of `branch`."""

    model_config = ConfigDict(frozen=True)
    kind: Literal["git"] = "git"
    url: GitUrl
    branch: GitRef = "main"
    commit: CommitSha | None = None


Source = Annotated[ArchiveSource | GitSource, Field(discriminator="kind")]


class Parameters(Wire):
    """What to deploy and how: all that a retry repeats."""

    project_id: Name
    user_id: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    organization_id: Name
    project_name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
    template_type: Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9._-]+$")] | None = None
    branch: GitRef = "main"
    commit_sha: CommitSha | None = None
    environment: Environment = "development"
    custom_domain: HostName | None = None
    build_command: Command | None = Field(default=None, description="Split into words; no shell runs it")
    start_command: Command | None = Field(default=None, description="Split into words; no shell runs it")
    container_size: ContainerSize | None = Field(default=None, description="Unset: that of the environment")


class DeployRequest(Parameters):
    """A request to deploy. Without `gitUrl` and `sourceHash`, the project's newest uploaded source is deployed."""

    git_url: GitUrl | None = Field(default=None, description="https address of a public repository")
    source_hash: SourceHash | None = Field(default=None, description="hash that the upload of a source answered")
    env_variables: dict[VariableName, SecretStr] = Field(
        default_factory=dict[str, SecretStr], description="Kept as secrets: no answer and no log shows them"
    )

    @field_validator("env_variables")
    @classmethod
    def _bounded(cls, variables: dict[str, SecretStr]) -> dict[str, SecretStr]:
        if len(variables) > ENV_VARIABLES:
            raise ValueError(f"at most {ENV_VARIABLES} variables are taken")
        if sum(len(name) + len(value.get_secret_value().encode()) for name, value in variables.items()) > ENV_BYTES:
            raise ValueError(f"all variables together may take {ENV_BYTES} bytes")
        if "PORT" in variables:
            raise ValueError(f"PORT is set for every app, to {PORT} in Azure: leave it out")
        return variables

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.git_url and self.source_hash:
            raise ValueError("give gitUrl or sourceHash, not both")
        return self


class DeploymentError(Wire):
    """Why a deployment failed."""

    code: str
    message: str
    details: str | None = Field(default=None, description="What to do next")
    timestamp: datetime
    step: Step | None = None


class StepResult(Wire):
    """What became of one step."""

    name: Step
    success: bool
    duration: float = Field(description="Seconds")
    error: str | None = None


class StepWork(Wire):
    """A step in the state document: begun, and ended once `success` is known."""

    name: Step
    started_at: datetime
    ended_at: datetime | None = None
    success: bool | None = None
    error: str | None = None


class StopReason(StrEnum):
    """Why those at work shall stop."""

    CANCEL = "cancel"
    TIMEOUT = "timeout"


class Deployment(Parameters):
    """The state document, one a deployment; its partition is the organization.

    It holds no value of an environment variable: `secrets_reference` names where they are kept.
    """

    model_config = ConfigDict(extra="ignore")
    id: DeploymentId
    type: Literal["deployment"] = "deployment"
    source: Source
    secrets_reference: str | None = None
    status: DeploymentStatus = DeploymentStatus.QUEUED
    progress: int = 0
    steps: list[StepWork] = Field(default_factory=list[StepWork])
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None = Field(default=None, description="When the queue took it")
    claimed_by: str | None = Field(default=None, description="The one execution that works on it")
    started_at: datetime | None = None
    completed_at: datetime | None = Field(default=None, description="When it ended, however it ended")
    stop: StopReason | None = Field(default=None, description="Set once; cancel wins over timeout")
    container_app_url: str | None = None
    custom_domain_url: str | None = None
    error: DeploymentError | None = None
    original_deployment_id: DeploymentId | None = Field(default=None, description="What this one retries")

    def spec(self) -> DeploymentSpec:
        """What a platform is told."""
        scale = SCALES[self.environment]
        return DeploymentSpec(
            deployment_id=self.id,
            organization_id=self.organization_id,
            project_id=self.project_id,
            project_name=self.project_name,
            environment=self.environment,
            template_type=self.template_type,
            source=self.source,
            build_command=tuple(shlex.split(self.build_command or "")),
            start_command=tuple(shlex.split(self.start_command or "")),
            custom_domain=self.custom_domain,
            secrets_reference=self.secrets_reference,
            scale=scale.model_copy(update={"size": self.container_size}) if self.container_size else scale,
        )


class DeploymentSpec(BaseModel):
    """A deployment as a container platform sees it. Made anew from the state document for each step."""

    model_config = ConfigDict(frozen=True)
    deployment_id: DeploymentId
    organization_id: Name
    project_id: Name
    project_name: str
    environment: Environment
    template_type: str | None
    source: Source
    build_command: tuple[str, ...] = Field(description="Words to run; empty: what the source's kind calls for")
    start_command: tuple[str, ...] = Field(description="Words to run; empty: what the source's kind calls for")
    custom_domain: str | None
    secrets_reference: str | None = Field(description="For SecretStore.get; None: no variables")
    scale: Scale
    port: int = Field(default=PORT, description="Where the app listens; the local platform picks a free one instead")


class Project(Wire):
    """What is known of a project: its newest source and its newest deployment."""

    model_config = ConfigDict(extra="ignore")
    id: str
    type: Literal["project"] = "project"
    organization_id: Name
    project_id: Name
    source_hash: SourceHash | None = None
    deployment_id: DeploymentId | None = None
    updated_at: datetime


def document(model: Wire) -> dict[str, Any]:
    """The JSON object that Cosmos DB keeps."""
    return model.model_dump(mode="json", by_alias=True)

"""What a caller asks for: a source, and how to build and run it."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from shared.deploys.models.sizes import ContainerSize
from shared.deploys.models.spec import PORT
from shared.deploys.models.words import (
    Command,
    CommitSha,
    Environment,
    GitRef,
    GitUrl,
    HostName,
    Name,
    SourceHash,
    VariableName,
    Wire,
)

ENV_BYTES: Final = 20_000
"""Of all environment variables together: what one Key Vault secret holds, with room for JSON."""
ENV_VARIABLES: Final = 100


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

"""What a caller asks for: a source, and how to build and run it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Self, cast

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from shared.deploys.models.fields import (
    VARIABLE_NAME,
    Command,
    CommitSha,
    Environment,
    GitRef,
    GitUrl,
    HostName,
    Name,
    Shape,
    SourceHash,
    Wire,
    refusal,
)
from shared.deploys.models.sizes import ContainerSize
from shared.deploys.models.spec import PORT

ENV_BYTES: Final = 20_000
"""Of all environment variables together: what one Key Vault secret holds, with room for JSON."""
ENV_VARIABLES: Final = 100
HEALTH_PATH: Final = r"/[A-Za-z0-9._~/-]{0,199}"
FOLDER: Final = r"[A-Za-z0-9_@+-][A-Za-z0-9._@+-]{0,99}(/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]{0,99}){0,9}"


class Parameters(Wire):
    """What to deploy and how: all that a retry repeats."""

    project_id: Name
    user_id: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    organization_id: Name
    project_name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
    template_type: Annotated[str, Shape(r"[A-Za-z0-9._-]{1,64}", "1 to 64 letters, digits, . _ and -")] | None = None
    branch: GitRef = "main"
    commit_sha: CommitSha | None = None
    environment: Environment = "development"
    custom_domain: HostName | None = None
    build_command: Command | None = Field(default=None, description="Split into words; no shell runs it")
    start_command: Command | None = Field(
        default=None, description="Split into words; no shell runs it. `$PORT` stands for the port"
    )
    root_directory: Annotated[str, Shape(FOLDER, "a folder of the source, as apps/web")] | None = Field(
        default=None, description="Folder of the source that is the app; unset: the source's root"
    )
    health_path: Annotated[str, Shape(HEALTH_PATH, "a path of the app, as /health, at most 200 characters")] | None = (
        Field(
            default=None,
            description="Has to answer with 200 to 399 before the app gets traffic. Unset: it has to answer",
        )
    )
    health_seconds: int | None = Field(
        default=None, ge=10, le=600, description="How long the app may take to become healthy. Unset: the platform's"
    )
    container_size: ContainerSize | None = Field(default=None, description="Unset: that of the environment")
    plain_variables: list[Annotated[str, VARIABLE_NAME]] = Field(
        default_factory=list[str],
        max_length=ENV_VARIABLES,
        description="Names of variables whose values are no secrets: logs show them",
    )


def check_names(variables: Any) -> Any:
    """Refuse names before an answer could repeat them: NAME=value in the place of a name holds a secret."""
    names: Iterable[Any] = cast("dict[Any, Any]", variables) if isinstance(variables, dict) else ()
    for number, name in enumerate(names, 1):
        if not isinstance(name, str) or re.fullmatch(VARIABLE_NAME.pattern, name) is None:
            raise refusal(f"The name of variable {number} has to be {VARIABLE_NAME.description}")
    return cast("Any", variables)


def check_variables(variables: Mapping[str, str]) -> None:
    """Refuse variables that are too many or too large together, or that no app can be given."""
    if len(variables) > ENV_VARIABLES:
        raise refusal(f"At most {ENV_VARIABLES} variables are taken")
    if sum(map(len, variables)) + sum(len(value.encode()) for value in variables.values()) > ENV_BYTES:
        raise refusal(f"All variables together may take {ENV_BYTES:,} bytes")
    if any("\0" in value for value in variables.values()):
        raise refusal("A value has a NUL, which no program's environment can hold")
    if "PORT" in variables:
        raise refusal(f"PORT is set for every app, to {PORT} in Azure: leave it out")


class DeployRequest(Parameters):
    """A request to deploy. Without `gitUrl` and `sourceHash`, the project's newest uploaded source is deployed."""

    git_url: GitUrl | None = Field(default=None, description="https address of a public repository")
    source_hash: SourceHash | None = Field(default=None, description="hash that the upload of a source answered")
    env_variables: dict[str, SecretStr] = Field(
        default_factory=dict[str, SecretStr],
        description="Kept as secrets; no answer shows them, and no log but for `plainVariables`",
        json_schema_extra={"propertyNames": {"pattern": f"^{VARIABLE_NAME.pattern}$"}},
    )

    _named = field_validator("env_variables", mode="before")(check_names)

    @field_validator("env_variables")
    @classmethod
    def _bounded(cls, variables: dict[str, SecretStr]) -> dict[str, SecretStr]:
        check_variables({name: value.get_secret_value() for name, value in variables.items()})
        return variables

    @model_validator(mode="after")
    def _plain_are_there(self) -> Self:
        if missing := [name for name in self.plain_variables if name not in self.env_variables]:
            raise refusal(f"plainVariables names {missing[0]}, which envVariables does not have")
        return self

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.git_url and self.source_hash:
            raise refusal("Give gitUrl or sourceHash, not both")
        return self

"""What a caller asks for: a source, and how to build and run it."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, Self, cast

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from shared.deploys.models.fields import (
    VARIABLE_NAME,
    Command,
    CommitSha,
    Environment,
    GitRef,
    GitUrl,
    GitUser,
    HostName,
    Name,
    Shape,
    SourceHash,
    Wire,
    refusal,
)
from shared.deploys.models.sizes import ContainerSize
from shared.deploys.models.spec import PORT
from shared.platform.printable import Line, Seen

ENV_BYTES: Final = 20_000
"""Of all environment variables together: what one Key Vault secret holds, with room for JSON."""
ENV_VARIABLES: Final = 100
FILES: Final = 200
FILE_BYTES: Final = 500_000
"""Of all files of one request together."""
FILE_CHARACTERS: Final = 666_672
"""Of a file's content: FILE_BYTES in base64."""
TOKEN: Final = r"[!-~]{8,1000}"  # noqa: S105 - a pattern
HEALTH_PATH: Final = r"/[A-Za-z0-9._~/-]{0,199}"
FOLDER: Final = r"[A-Za-z0-9_@+-][A-Za-z0-9._@+-]{0,99}(/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]{0,99}){0,9}"


class Parameters(Wire):
    """What to deploy and how: all that a retry repeats."""

    project_id: Name
    user_id: Annotated[str, StringConstraints(min_length=1, max_length=128), Seen]
    organization_id: Name
    project_name: Annotated[Line, Seen, Field(min_length=1, max_length=128)]
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


class InlineFile(Wire):
    """A file of a source that a request brings along."""

    path: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(
        description="From the source's root, as src/app.py"
    )
    content: str = Field(max_length=FILE_CHARACTERS)
    encoding: Literal["utf-8", "base64"] = "utf-8"

    @model_validator(mode="after")
    def _decodable(self) -> Self:
        try:
            self.data()
        except ValueError:
            raise refusal("content has to be text, or base64 where encoding says so") from None
        return self

    def data(self) -> bytes:
        """The file's bytes."""
        return base64.b64decode(self.content, validate=True) if self.encoding == "base64" else self.content.encode()


def same_everywhere(path: str) -> tuple[str, ...]:
    """The path as file systems may take it: without regard to case, Unicode forms, and dots and blanks at the ends."""
    parts = (part for part in path.split("/") if part not in ("", "."))
    return tuple(unicodedata.normalize("NFC", part).casefold().rstrip(". ") for part in parts)


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
    """A request to deploy. Without `gitUrl`, `sourceHash` and `files`, the project's newest source is deployed."""

    git_url: GitUrl | None = Field(default=None, description="https address of a repository")
    git_token: SecretStr | None = Field(
        default=None, description="Kept as a secret: lets a private repository be fetched; the app is not given it"
    )
    git_user: GitUser | None = Field(
        default=None, description="Whose `gitToken` is, where the host looks at that; unset: `x-access-token`"
    )
    files: list[InlineFile] = Field(
        default_factory=list[InlineFile],
        max_length=FILES,
        description=f"The source itself, {FILE_BYTES:,} bytes at most; it becomes the project's newest",
    )
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

    @field_validator("files")
    @classmethod
    def _apart(cls, files: list[InlineFile]) -> list[InlineFile]:
        known: dict[tuple[str, ...], int] = {}
        for number, one in enumerate(files):
            if (first := known.setdefault(same_everywhere(one.path), number)) != number:
                raise refusal(f"The paths of file {first + 1} and file {number + 1} are the same on some system")
        for path, number in known.items():
            if (
                above := next((known[path[:end]] for end in range(1, len(path)) if path[:end] in known), None)
            ) is not None:
                raise refusal(f"The path of file {above + 1} is a folder of file {number + 1}")
        return files

    @field_validator("git_token")
    @classmethod
    def _usable(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and re.fullmatch(TOKEN, token.get_secret_value()) is None:
            raise refusal("It has to be 8 to 1,000 characters without blanks")  # a shorter one could not be hidden
        return token

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(map(bool, (self.git_url, self.source_hash, self.files))) > 1:
            raise refusal("Give one of gitUrl, sourceHash and files")
        if (self.git_token or self.git_user) and not self.git_url:
            raise refusal("gitToken and gitUser are for a gitUrl")
        if self.git_user and not self.git_token:
            raise refusal("gitUser is for a gitToken")
        return self

    @model_validator(mode="after")
    def _files_are_bounded(self) -> Self:
        if sum(len(one.data()) for one in self.files) > FILE_BYTES:
            raise refusal(f"All files together may have {FILE_BYTES:,} bytes: upload a larger source")
        return self

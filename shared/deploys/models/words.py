"""The words on the wire and what they may be: camelCase names, ids, addresses, commands."""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

Environment = Literal["development", "staging", "production"]
DeploymentId = Annotated[str, StringConstraints(pattern=r"^dep_[A-Z2-7]{12}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
"""An id given by the caller: a path segment, a blob's folder, a document's key."""
SourceHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
GitUrl = Annotated[str, StringConstraints(max_length=500)]
"""What it may be says sources.check_url, in words: when a deployment is accepted and when its source is fetched."""
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

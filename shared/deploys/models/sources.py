"""Where the source of an app is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from shared.deploys.models.fields import CommitSha, GitRef, GitUrl, SourceHash, Wire


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

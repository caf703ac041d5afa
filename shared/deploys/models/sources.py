"""Where the source of an app is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from shared.deploys.models.fields import CommitSha, GitRef, GitUrl, GitUser, SourceHash, Wire


class ArchiveSource(Wire):
    """An uploaded archive, by the sha256 of its bytes: the blob deploy-sources/<organization>/<project>/<hash>."""

    model_config = ConfigDict(frozen=True)
    kind: Literal["archive"] = "archive"
    hash: SourceHash


class GitSource(Wire):
    """A commit of a repository: `commit` where it is given, else the newest of `branch`, which may be a tag.

    The token of a private one is no part of it: it is kept with the deployment's variables, as a secret.
    """

    model_config = ConfigDict(frozen=True)
    kind: Literal["git"] = "git"
    url: GitUrl
    branch: GitRef = "main"
    commit: CommitSha | None = None
    user: GitUser | None = Field(default=None, description="Whose the token is; None: what is usual")


Source = Annotated[ArchiveSource | GitSource, Field(discriminator="kind")]

"""The source that a request to deploy names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.deploys.documents import projects
from shared.deploys.models import ArchiveSource, GitSource
from shared.deploys.sources import allowed_hosts, archive_of, check_url, require, store_archive
from shared.platform.errors import InvalidInput

if TYPE_CHECKING:
    from shared.deploys.models import DeployRequest, Source


async def source_of(request: DeployRequest) -> Source:
    """What the request names: a commit of a repository, its own files, an uploaded archive, or the project's newest.

    Raises:
        InvalidInput: there is nothing to deploy, the archive was never uploaded, or a path or the git URL is refused.
    """
    if request.files:
        files = {one.path: one.data() for one in request.files}
        stored = await store_archive(request.organization_id, request.project_id, archive_of(files))
        return ArchiveSource(hash=stored)
    if request.git_url:
        check_url(request.git_url, allowed_hosts())
        return GitSource(url=request.git_url, branch=request.branch, commit=request.commit_sha, user=request.git_user)
    source_hash = request.source_hash
    if source_hash is None:
        known = await projects.find(request.organization_id, request.project_id)
        source_hash = known.source_hash if known else None
    if source_hash is None:
        raise InvalidInput(
            "There is nothing to deploy: no source was uploaded for this project.",
            field="sourceHash",
            code="no-source",
            remedy=f"PUT a zip or tar.gz to /deploy/project/{request.project_id}/source, name a gitUrl, or send files.",
        )
    await require(request.organization_id, request.project_id, source_hash)
    return ArchiveSource(hash=source_hash)

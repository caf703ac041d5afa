"""Which source a request to deploy names."""

from __future__ import annotations

import base64

import pytest

from shared.deploys import sources
from shared.deploys.documents import projects
from shared.deploys.models import ArchiveSource, DeployRequest, GitSource
from shared.deploys.requests.source import source_of
from shared.platform.errors import InvalidInput

pytestmark = pytest.mark.usefixtures("storage")


@pytest.fixture
def request_of(state: str):
    """A request to deploy the project `shop`: `request_of(gitUrl="https://...")`."""

    def make(**changes) -> DeployRequest:
        whose = {"projectId": "shop", "userId": "u", "organizationId": state, "projectName": "Shop"}
        return DeployRequest.model_validate({**whose, **changes})

    return make


async def test_files_of_the_request_are_kept_as_an_archive(request_of, state) -> None:
    content = base64.b64encode(b"<h1>Hello</h1>").decode()
    source = await source_of(request_of(files=[{"path": "index.html", "content": content, "encoding": "base64"}]))
    assert isinstance(source, ArchiveSource)
    assert await sources.exists(state, "shop", source.hash)


async def test_a_repository_is_taken_by_its_branch_or_commit(request_of) -> None:
    url = "https://example.com/shop"
    assert await source_of(request_of(gitUrl=url)) == GitSource(url=url, branch="main")
    commit = "a" * 40
    assert await source_of(request_of(gitUrl=url, commitSha=commit)) == GitSource(url=url, branch="main", commit=commit)


async def test_without_a_name_the_newest_source_of_the_project_is_taken(request_of, state) -> None:
    with pytest.raises(InvalidInput) as nothing:
        await source_of(request_of())
    assert nothing.value.code == "no-source"
    archive = await source_of(request_of(files=[{"path": "index.html", "content": "x"}]))
    assert isinstance(archive, ArchiveSource)
    await projects.update(state, "shop", source_hash=archive.hash)
    assert await source_of(request_of()) == archive
    with pytest.raises(InvalidInput) as missing:
        await source_of(request_of(sourceHash="0" * 64))
    assert (missing.value.code, missing.value.field) == ("source-not-found", "sourceHash")

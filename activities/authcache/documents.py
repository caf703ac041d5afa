"""The files of accounts."""

from __future__ import annotations

from shared.authcache.documents import documents, strays
from shared.authcache.documents.models import StraySearch
from shared.platform.durable import activity
from shared.platform.models import LazyModel


class Forgotten(LazyModel):
    """A user who is no more as of an LSN."""

    user: str
    at_least: int


class Deleted(LazyModel):
    """How many files were deleted."""

    files: int


@activity
async def delete_documents(task: Forgotten) -> Deleted:
    """Delete the files of a user who is no more. Repeated, it finds those that are left."""
    return Deleted(files=await documents.forget(task.user, task.at_least))


@activity
async def delete_strays(search: StraySearch) -> StraySearch:
    """Delete files that no document names, for a minute. Repeated, it finds those that are left."""
    return await strays.delete_strays(search)

"""Files that nobody needs: those of an account that was deleted, and those that no document names."""

from __future__ import annotations

from activities.authcache.documents import Deleted, Forgotten, delete_documents, delete_strays
from shared.authcache.documents.models import StraySearch
from shared.platform.durable import Context, Steps, call, orchestration, repeat


@orchestration
def forget_documents(context: Context, task: Forgotten) -> Steps[Deleted]:
    """Delete what one user has left, and again while the storage does not answer."""
    return (yield from call(context, delete_documents, task))


@orchestration
def delete_stray_documents(context: Context, search: StraySearch) -> Steps[StraySearch]:
    """Look at all files, a minute at a time."""
    return (
        yield from repeat(
            context, delete_strays, search, until=lambda found: found.done, following=lambda _, found: found
        )
    )

"""The files of an account that was deleted go after it, and again while the storage does not answer."""

from __future__ import annotations

from activities.authcache.documents import Deleted, Forgotten, delete_documents
from shared.platform.durable import Context, Steps, call, orchestration


@orchestration
def forget_documents(context: Context, task: Forgotten) -> Steps[Deleted]:
    """Delete what one user has left."""
    return (yield from call(context, delete_documents, task))

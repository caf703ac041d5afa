"""Strays: blobs that no document names, as uploads leave that were never finished, or sent again after the deletion."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from shared.authcache.base.repair import rows_known_since
from shared.authcache.documents.content import EXTENSIONS
from shared.authcache.documents.documents import FINISHED_WITHIN, FOLDERS, document_of
from shared.authcache.documents.models import StraySearch
from shared.authcache.reading.view import View
from shared.authcache.settings import settings
from shared.authcache.store import store
from shared.authcache.tables import DOCUMENTS
from shared.platform.stores.blob_files import ListedBlob, delete_blob, list_blobs
from shared.platform.stores.paging import for_each

KEPT: Final = FINISHED_WITHIN + timedelta(hours=1)
"""For so long after it was sent, a blob may be without its document."""
BOX_SECONDS: Final = 60.0
PAGE: Final = 500
_FOLLOWING: Final[Mapping[str, str]] = dict(pairwise(FOLDERS))
_OURS: Final = re.compile(rf"({'|'.join(FOLDERS)})/(?P<owner>[^/]+)/[0-9a-f]{{32}}\.({'|'.join(EXTENSIONS.values())})")
"""Names that we give. What else lies in the folders was put there by others, and stays."""


async def delete_strays(search: StraySearch) -> StraySearch:
    """Look at blobs for a minute, and delete the strays among them.

    Rows are read once more after the blobs were listed: so no document is missing among them that was added before.

    Raises:
        TransientError: the blobs or the rows cannot be read.
    """
    deleted = search.deleted

    async def read(at: str | None) -> tuple[list[ListedBlob], str | None]:
        folder, _, token = (at or FOLDERS[0]).partition(" ")
        page = await list_blobs(_container(), limit=PAGE, prefix=f"{folder}/", continuation=token or None)
        following = _FOLLOWING.get(folder)
        return await _strays(page.blobs), f"{folder} {page.continuation}" if page.continuation else following

    async def use(blob: ListedBlob) -> None:
        nonlocal deleted
        deleted += await delete_blob(_container(), blob.name, seen=blob.etag)

    cursor = await for_each(read, use, cursor=search.cursor, seconds=BOX_SECONDS)
    return StraySearch(cursor=cursor, deleted=deleted, done=cursor is None)


async def _strays(blobs: list[ListedBlob]) -> list[ListedBlob]:
    before, since = datetime.now(UTC) - KEPT, await rows_known_since()
    if since is None:
        return []
    # What is older than the base may be named by a row that was lost, and is then all that is left of it.
    old = [blob for blob in blobs if since < blob.modified < before and _OURS.fullmatch(blob.name)]
    if not old:
        return []
    await store().instance.refresh()
    view = store().instance.now()
    named: dict[str, set[str]] = {}
    for owner in {_owner(blob.name) for blob in old}:
        named[owner] = await _named(view, owner)
    strays = [blob for blob in old if blob.name not in named[_owner(blob.name)]]
    return [blob for blob in strays if not await _given_away(view, blob.name)]


async def _given_away(view: View, blob: str) -> bool:
    """Whether its document is another user's now: whoever writes the Iceberg tables may change the owner."""
    document = await view.get(DOCUMENTS, document_of(blob))
    return document is not None and document.blob == blob


async def _named(view: View, owner: str) -> set[str]:
    return {document.blob for document in await view.find(DOCUMENTS, "owner", owner)}


def _owner(blob: str) -> str:
    return blob.split("/")[1]


def _container() -> str:
    return settings().authcache_documents_container

"""The source of an app: an uploaded archive or a commit of a Git repository, brought safely into a folder."""

from __future__ import annotations

from shared.deploys.sources.archives import LIMITS, ArchiveKind, Limits, Unpacked, kind_of, pack, unpack
from shared.deploys.sources.fetching import fetch
from shared.deploys.sources.git import allowed_hosts, check_url, clone
from shared.deploys.sources.inline import archive_of
from shared.deploys.sources.uploads import (
    CONTAINER,
    ROUTE_BYTES,
    UPLOAD_BYTES,
    UploadUrl,
    blob_name,
    exists,
    require,
    store_archive,
    upload_url,
)

__all__ = [
    "CONTAINER",
    "LIMITS",
    "ROUTE_BYTES",
    "UPLOAD_BYTES",
    "ArchiveKind",
    "Limits",
    "Unpacked",
    "UploadUrl",
    "allowed_hosts",
    "archive_of",
    "blob_name",
    "check_url",
    "clone",
    "exists",
    "fetch",
    "kind_of",
    "pack",
    "require",
    "store_archive",
    "unpack",
    "upload_url",
]

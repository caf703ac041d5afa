"""The properties of a blob as the extension writes them for a function: the JSON of .NET's BlobProperties."""

import base64
from datetime import datetime
from typing import Any

from azure.storage.blob import BlobProperties

_NEVER = "0001-01-01T00:00:00+00:00"
# The numbers of .NET's enumerations.
_TYPES = {"BlockBlob": 0, "PageBlob": 1, "AppendBlob": 2}
_LEASE_DURATIONS = {"infinite": 0, "fixed": 1}
_LEASE_STATES = {"available": 0, "leased": 1, "expired": 2, "breaking": 3, "broken": 4}
_LEASE_STATUSES = {"locked": 0, "unlocked": 1}
_COPY_STATUSES = {"pending": 0, "success": 1, "aborted": 2, "failed": 3}


def properties(blob: BlobProperties) -> dict[str, Any]:
    """Every property, also those that the blob has not: with the value that .NET gives them then."""
    settings, copy = blob.content_settings, blob.copy
    md5 = settings.content_md5
    # The SDK declares no types for what it makes of headers.
    found: Any = blob
    copied = _COPY_STATUSES.get(str(copy.status))
    return {
        "LastModified": _time(blob.last_modified),
        "CreatedOn": _time(blob.creation_time),
        "Metadata": blob.metadata or {},
        "ObjectReplicationDestinationPolicyId": found.object_replication_destination_policy,
        "ObjectReplicationSourceProperties": [],
        "BlobType": _TYPES.get(str(getattr(blob.blob_type, "value", blob.blob_type)), 0),
        "CopyCompletedOn": _time(copy.completion_time),
        "CopyStatusDescription": copy.status_description,
        "CopyId": copy.id,
        "CopyProgress": copy.progress,
        "CopySource": copy.source,
        "CopyStatus": copied or 0,
        "BlobCopyStatus": copied,
        "IsIncrementalCopy": bool(copy.incremental_copy),
        "DestinationSnapshot": copy.destination_snapshot,
        "LeaseDuration": _LEASE_DURATIONS.get(str(blob.lease.duration), 0),
        "LeaseState": _LEASE_STATES.get(str(blob.lease.state), 0),
        "LeaseStatus": _LEASE_STATUSES.get(str(blob.lease.status), 0),
        "ContentLength": blob.size,
        "ContentType": settings.content_type,
        # A type of .NET without anything that its JSON could show; read it with a client of the storage SDK.
        "ETag": {},
        "ContentHash": base64.b64encode(bytes(md5)).decode() if md5 else None,
        "ContentEncoding": settings.content_encoding,
        "ContentDisposition": settings.content_disposition,
        "ContentLanguage": settings.content_language,
        "CacheControl": settings.cache_control,
        "BlobSequenceNumber": found.page_blob_sequence_number or 0,
        "AcceptRanges": "bytes",
        "BlobCommittedBlockCount": found.append_blob_committed_block_count or 0,
        "IsServerEncrypted": bool(blob.server_encrypted),
        "EncryptionKeySha256": found.encryption_key_sha256,
        "EncryptionScope": found.encryption_scope,
        "AccessTier": found.blob_tier,
        "AccessTierInferred": bool(found.blob_tier_inferred),
        "ArchiveStatus": found.archive_status,
        "AccessTierChangedOn": _time(found.blob_tier_change_time),
        "VersionId": found.version_id,
        "IsLatestVersion": bool(found.is_current_version),
        "TagCount": found.tag_count or 0,
        "ExpiresOn": _NEVER,
        "IsSealed": bool(found.is_append_blob_sealed),
        "RehydratePriority": found.rehydrate_priority,
        "LastAccessed": _time(found.last_accessed_on),
        "ImmutabilityPolicy": {"ExpiresOn": None, "PolicyMode": None},
        "HasLegalHold": bool(found.has_legal_hold),
    }


def _time(value: datetime | None) -> str:
    return value.isoformat() if value is not None else _NEVER

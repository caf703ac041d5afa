"""Addresses of single blobs that let whoever has them do one thing for a while, without the app in between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from shared.platform.stores.blob_files import ensure_container
from shared.platform.stores.blobs import CLOCK_SKEW, blob_service, unavailable

if TYPE_CHECKING:
    from azure.storage.blob import BlobSasPermissions

UPLOAD_HEADERS: Final = {"x-ms-blob-type": "BlockBlob"}
"""What a PUT to an address of `create_url` has to send along."""


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """An address that lets whoever has it do one thing with one blob until it expires."""

    url: str
    expires_at: datetime


async def create_url(container: str, name: str, lifetime: timedelta) -> SignedUrl:
    """An address for creating this blob, and nothing else: it neither reads nor replaces one that is there.

    Signed by a key that Entra ID gives the app for that long, or with the account's key where that is configured.
    """
    from azure.storage.blob import BlobSasPermissions  # noqa: PLC0415 - loads in the activity

    await ensure_container(container)
    return await _signed(container, name, lifetime, BlobSasPermissions(create=True))


async def read_url(container: str, name: str, lifetime: timedelta, *, file_name: str, content_type: str) -> SignedUrl:
    """An address for reading this blob, signed as that of `create_url`. Browsers save it as `file_name`."""
    from azure.storage.blob import BlobSasPermissions  # noqa: PLC0415 - loads in the activity

    return await _signed(
        container,
        name,
        lifetime,
        BlobSasPermissions(read=True),
        content_disposition=f"attachment; filename*=UTF-8''{quote(file_name, safe='')}",
        content_type=content_type,
    )


async def _signed(
    container: str, name: str, lifetime: timedelta, permission: BlobSasPermissions, **answered: Any
) -> SignedUrl:
    from azure.core.exceptions import AzureError  # noqa: PLC0415 - loads in the activity
    from azure.storage.blob import generate_blob_sas  # noqa: PLC0415 - loads in the activity

    service = blob_service()
    now = datetime.now(UTC)
    begins, ends = now - CLOCK_SKEW, now + lifetime
    account_key: Any = getattr(service.credential, "account_key", None)
    try:
        signing: dict[str, Any] = (
            {"account_key": account_key}
            if account_key
            else {"user_delegation_key": await service.get_user_delegation_key(begins, ends)}
        )
    except AzureError as error:
        raise unavailable(container, name, error) from error
    token = generate_blob_sas(
        str(service.account_name),
        container,
        name,
        permission=permission,
        start=begins,
        expiry=ends,
        **signing,
        **answered,
    )
    return SignedUrl(f"{service.get_blob_client(container, name).url}?{token}", ends)

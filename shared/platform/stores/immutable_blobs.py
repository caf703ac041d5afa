"""Small immutable blobs: created once and read whole, each by one plain request.

The client library takes a millisecond of the processor for a request. Where a blob is written or read for each thing
that happens, as in a log, that is most of what it costs; the library's pipeline, without what only it needs, takes a
third. Nothing is tried again here: who calls knows what may be lost.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

from shared.platform.errors import TransientError
from shared.platform.stores.blob_files import ensure_container
from shared.platform.stores.blobs import CLOCK_SKEW, blob_service, transport_of, unavailable

if TYPE_CHECKING:
    from azure.core import AsyncPipelineClient
    from azure.storage.blob.aio import BlobServiceClient

_VERSION = "2025-01-05"
"""Of the storage service's interface."""
_SCOPE = "https://storage.azure.com/.default"
_SIGNED_FOR = timedelta(hours=1)
_CONNECTING_SECONDS, _READING_SECONDS = 5, 20
_OK, _CREATED, _NOT_FOUND, _CONFLICT, _PRECONDITION = 200, 201, 404, 409, 412


class _Account:
    """The storage account, as one event loop reaches it."""

    def __init__(self, service: BlobServiceClient) -> None:
        from azure.core import AsyncPipelineClient  # noqa: PLC0415 - loads in the activity that needs it
        from azure.core.pipeline.policies import (  # noqa: PLC0415 - as above
            AsyncBearerTokenCredentialPolicy,
            DistributedTracingPolicy,
        )

        from shared.platform.credentials import credential  # noqa: PLC0415 - as above

        self._name = str(service.account_name)
        self._url = service.url.partition("?")[0].rstrip("/")
        self._query = service.url.partition("?")[2]
        self._key: Any = getattr(service.credential, "account_key", None)
        self._signed_at: datetime | None = None
        by_identity = not self._key and not self._query
        self._client: AsyncPipelineClient[Any, Any] = AsyncPipelineClient(
            self._url,
            policies=[
                *([AsyncBearerTokenCredentialPolicy(credential(), _SCOPE)] if by_identity else []),
                DistributedTracingPolicy(),
            ],
            transport=transport_of(service),
        )

    async def send(self, method: str, container: str, name: str, headers: dict[str, str], data: bytes | None) -> Any:
        from azure.core.rest import HttpRequest  # noqa: PLC0415 - loads in the activity that needs it

        url = f"{self._url}/{container}/{quote(name)}"
        if query := self._signature():
            url = f"{url}?{query}"
        headers |= {"x-ms-version": _VERSION, "x-ms-date": formatdate(usegmt=True)}
        request = HttpRequest(method, url, headers=headers, content=data)
        return await self._client.send_request(
            request, connection_timeout=_CONNECTING_SECONDS, read_timeout=_READING_SECONDS
        )

    def _signature(self) -> str:
        """What stands in an address in place of an identity: nothing in Azure, where keys are off."""
        if not self._key:
            return self._query
        now = datetime.now(UTC)
        if self._signed_at is None or now - self._signed_at > _SIGNED_FOR / 2:
            from azure.storage.blob import (  # noqa: PLC0415 - loads in the activity that needs it
                AccountSasPermissions,
                ResourceTypes,
                generate_account_sas,
            )

            self._query = generate_account_sas(
                self._name,
                self._key,
                ResourceTypes(object=True),
                AccountSasPermissions(read=True, write=True, create=True),
                expiry=now + _SIGNED_FOR,
                start=now - CLOCK_SKEW,
            )
            self._signed_at = now
        return self._query


_accounts: WeakKeyDictionary[BlobServiceClient, _Account] = WeakKeyDictionary()


def _account() -> _Account:
    service = blob_service()
    found = _accounts.get(service)
    if found is None:
        found = _accounts[service] = _Account(service)
    return found


async def read_whole(container: str, name: str) -> bytes | None:
    """The blob's bytes; None if it, or its container, does not exist.

    Raises:
        TransientError: the storage did not answer.
    """
    answer = await _sent("GET", container, name, {}, None)
    if answer.status_code == _OK:
        return answer.content
    if answer.status_code == _NOT_FOUND:
        return None
    raise _refused(container, name, answer.status_code)


async def create_once(container: str, name: str, data: bytes) -> bool:
    """Create the blob, and its container with the first; False where there is one of that name.

    Raises:
        TransientError: whether it was created is not known.
    """
    headers = {"x-ms-blob-type": "BlockBlob", "If-None-Match": "*", "Content-Type": "application/octet-stream"}
    for container_is_there in (False, True):
        answer = await _sent("PUT", container, name, dict(headers), data)
        if answer.status_code == _CREATED:
            return True
        if answer.status_code in {_CONFLICT, _PRECONDITION}:
            return False
        if answer.status_code != _NOT_FOUND or container_is_there:
            raise _refused(container, name, answer.status_code)
        await ensure_container(container)
    raise AssertionError


async def _sent(method: str, container: str, name: str, headers: dict[str, str], data: bytes | None) -> Any:
    from azure.core.exceptions import AzureError  # noqa: PLC0415 - loads in the activity that needs it

    try:
        return await _account().send(method, container, name, headers, data)
    except (TimeoutError, AzureError) as error:
        raise unavailable(container, name, error) from error


def _refused(container: str, name: str, status: int) -> TransientError:
    return TransientError(f"Blob Storage answered {status} for {container}/{name}.", code="storage-unavailable")

"""Documents in Cosmos DB, changed only by whoever saw the newest version."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from shared.platform.credentials import credential
from shared.platform.errors import Conflict, TerminalError, TransientError, UnusableCursor
from shared.platform.per_loop import PerLoop
from shared.platform.settings import settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from azure.cosmos.aio import ContainerProxy, CosmosClient

Document = dict[str, Any]
CHANGED: Final = "document-changed"
EXISTS: Final = "document-exists"
CHANGE_TRIES: Final = 12
"""Changes of one document meet seldom: its one orchestration, a cancel, a sweep."""
ANSWER_SECONDS: Final = 15
"""What one call may take, the SDK's own attempts included: it would wait for minutes for an account that hangs."""
_MAY_PASS = {408, 410, 429, 449}


@dataclass(slots=True)
class _Account:
    """A client and the containers it has opened. It belongs to one event loop; a test session has several."""

    client: CosmosClient
    ready: bool = False
    opened: dict[str, ContainerProxy] = field(default_factory=dict[str, "ContainerProxy"])
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Some documents, and where the next page begins."""

    documents: list[Document]
    continuation: str | None


@dataclass(frozen=True, slots=True)
class Documents:
    """A container and the property by whose value its documents are parted."""

    container: str
    partition: str

    async def find(self, id_: str, partition: str) -> Document | None:
        """The document, with its version under `_etag`; None if there is none."""
        from azure.cosmos.exceptions import CosmosResourceNotFoundError  # noqa: PLC0415 - loads where it is needed

        async with _failures():
            try:
                container: Any = await self._open()
                return await container.read_item(id_, partition)
            except CosmosResourceNotFoundError:
                return None

    async def create(self, document: Document) -> Document:
        """Write a new document and give it with its version.

        Raises:
            Conflict: there is one of that id (`document-exists`).
        """
        async with _failures():
            container: Any = await self._open()
            return await container.create_item(document)

    async def replace(self, document: Document, *, seen: str) -> Document:
        """Write the document if it still is the version with ETag `seen`, and give it with its new version.

        Raises:
            Conflict: somebody else wrote it in between (`document-changed`).
        """
        from azure.core import MatchConditions  # noqa: PLC0415 - loads where it is needed

        async with _failures():
            container: Any = await self._open()
            return await container.replace_item(
                document["id"], document, etag=seen, match_condition=MatchConditions.IfNotModified
            )

    async def change(
        self, id_: str, partition: str, step: Callable[[Document | None], Document | None]
    ) -> Document | None:
        """Read the document, let `step` change it, and write it if nobody else did; else once more from the start.

        A step is given None where there is no document, and gives None to write nothing.
        The answer is what then stands.

        Raises:
            TransientError: somebody else was quicker each time (`document-busy`).
            Whatever `step` raises.
        """
        for attempt in range(CHANGE_TRIES):
            seen = await self.find(id_, partition)
            after = step(seen)
            if after is None:
                return seen
            try:
                return await (self.create(after) if seen is None else self.replace(after, seen=seen["_etag"]))
            except Conflict as conflict:
                if conflict.code not in (CHANGED, EXISTS):
                    raise
                # Those who met shall not meet again.
                await asyncio.sleep(random.uniform(0, 0.02 * (attempt + 1)))  # noqa: S311 - spreads load, guards nothing
        raise TransientError(f"{id_} was changed by others {CHANGE_TRIES} times.", code="document-busy")

    async def delete(self, id_: str, partition: str) -> None:
        """Delete the document. One that is not there is no error."""
        from azure.cosmos.exceptions import CosmosResourceNotFoundError  # noqa: PLC0415 - loads where it is needed

        async with _failures():
            container: Any = await self._open()
            with suppress(CosmosResourceNotFoundError):
                await container.delete_item(id_, partition)

    async def query(
        self,
        query: str,
        parameters: Mapping[str, Any],
        *,
        partition: str | None = None,
        limit: int = 100,
        continuation: str | None = None,
    ) -> DocumentPage:
        """Up to `limit` documents that fit, of one partition or (None) of all.

        Raises:
            UnusableCursor: the continuation is none.
        """
        named = [{"name": f"@{name}", "value": value} for name, value in parameters.items()]
        where: dict[str, Any] = {} if partition is None else {"partition_key": partition}
        try:
            async with _failures():
                container: Any = await self._open()
                found = container.query_items(query, parameters=named, max_item_count=limit, **where)
                pages = found.by_page(continuation)
                async for page in pages:
                    documents: list[Document] = [document async for document in page]
                    if documents or not pages.continuation_token:  # a part of the data may have none, and others some
                        return DocumentPage(documents, pages.continuation_token or None)
        except TerminalError:
            if continuation is None:
                raise
            raise UnusableCursor from None
        return DocumentPage([], None)

    async def _open(self) -> ContainerProxy:
        account = _accounts.get()
        async with account.opening:
            await _ready(account)
            if self.container not in account.opened:
                account.opened[self.container] = await self._opened(account.client)
        return account.opened[self.container]

    async def _opened(self, client: CosmosClient) -> ContainerProxy:
        config = settings()
        if config.cosmos_connection is None:
            # In Azure the Bicep has made it, and the app's role does not allow to.
            return client.get_database_client(config.cosmos_database).get_container_client(self.container)
        from azure.cosmos import PartitionKey  # noqa: PLC0415 - loads where it is needed

        database: Any = await client.create_database_if_not_exists(config.cosmos_database)
        return await database.create_container_if_not_exists(self.container, PartitionKey(f"/{self.partition}"))


def has_cosmos() -> bool:
    """Whether the settings name an account."""
    return bool(settings().cosmos_connection or settings().cosmos_endpoint)


def _open_account() -> _Account:
    from azure.cosmos.aio import CosmosClient  # noqa: PLC0415 - loads where it is needed

    config = settings()
    # The SDK would log every request's headers.
    logging.getLogger("azure.cosmos").setLevel(logging.WARNING)
    if config.cosmos_connection:
        return _Account(CosmosClient.from_connection_string(config.cosmos_connection.get_secret_value()))
    if config.cosmos_endpoint:
        return _Account(CosmosClient(config.cosmos_endpoint, credential()))
    raise TerminalError("No Cosmos DB is named.", code="settings", remedy="Set COSMOS_ENDPOINT or COSMOS_CONNECTION.")


_accounts = PerLoop(_open_account)


async def _ready(account: _Account) -> None:
    """Let the client read the account's regions, once."""
    if not account.ready:
        await account.client.__aenter__()
        account.ready = True


@asynccontextmanager
async def _failures() -> AsyncGenerator[None]:
    """What the SDK raises, and that it takes too long, as errors of this app.

    The SDK's messages hold documents, so they are not repeated.
    """
    from azure.core.exceptions import AzureError  # noqa: PLC0415 - loads where it is needed
    from azure.cosmos.exceptions import CosmosHttpResponseError  # noqa: PLC0415 - as above

    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            yield
    except TimeoutError:
        raise TransientError(
            f"Cosmos DB did not answer within {ANSWER_SECONDS} s.", code="cosmos-unavailable"
        ) from None
    except CosmosHttpResponseError as error:
        status = int(error.status_code or 0)
        if status == HTTPStatus.PRECONDITION_FAILED:
            raise Conflict("The document was changed by somebody else.", code=CHANGED) from error
        if status == HTTPStatus.CONFLICT:
            raise Conflict("There is a document of that id.", code=EXISTS) from error
        if status in _MAY_PASS or status >= HTTPStatus.INTERNAL_SERVER_ERROR or not status:
            raise TransientError(f"Cosmos DB answered {status}.", code="cosmos-unavailable") from error
        raise TerminalError(f"Cosmos DB refused with {status}.", code="cosmos-refused") from error
    except AzureError as error:
        raise TransientError(f"Cosmos DB did not answer: {type(error).__name__}.", code="cosmos-unavailable") from error

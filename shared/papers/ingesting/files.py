"""The files of papers in Blob Storage: one version of each, read from any byte."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.papers.reading.lines import unpacked_pieces
from shared.platform.errors import Conflict, InvalidInput, NotFound
from shared.platform.stores.blob_files import create_blob
from shared.platform.stores.blobs import blob_service, unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

INBOX = "inbox/"
GZIP = b"\x1f\x8b"
_BEGINNING = 1 << 16
_KINDS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One version of a file.

    Attributes:
        etag: of the version, without quotation marks, as lists of blobs have it; reading ends with an error once the
            blob is another one.
        size: bytes.
    """

    container: str
    name: str
    etag: str
    size: int

    async def chunks(self, start: int) -> AsyncIterator[bytes]:
        """The file's bytes from `start` on.

        Raises:
            Conflict: the file was replaced or deleted since it was planned.
            TransientError: the storage did not do its part.
        """
        if start < self.size:
            stream = await self._download(start, None)
            async for chunk in self._checked(stream.chunks()):
                yield chunk

    async def read(self, offset: int, length: int) -> bytes:
        """Some bytes of the file. Raises as `chunks`."""
        return b"".join([chunk async for chunk in self._checked((await self._download(offset, length)).chunks())])

    async def _download(self, offset: int, length: int | None) -> Any:
        from azure.core import MatchConditions  # noqa: PLC0415 - loads in the activity
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - loads in the activity

        client = blob_service().get_blob_client(self.container, self.name)
        try:
            return await client.download_blob(
                offset=offset, length=length, etag=f'"{self.etag}"', match_condition=MatchConditions.IfNotModified
            )
        except AzureError as error:
            raise self._problem(error) from error

    async def _checked(self, chunks: Any) -> AsyncIterator[bytes]:
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - loads in the activity

        try:
            async for chunk in chunks:
                yield chunk
        except AzureError as error:
            raise self._problem(error) from error

    def _problem(self, error: Exception) -> Exception:
        from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError  # noqa: PLC0415 - as above

        if isinstance(error, ResourceModifiedError | ResourceNotFoundError):
            return self.replaced()
        return unavailable(self.container, self.name, error)

    def replaced(self) -> Conflict:
        """The error of whoever finds another version of the file, or none."""
        return Conflict(
            f"The file {self.name} was replaced or deleted while it was read.",
            code="file-changed",
            remedy="Start the ingest of the new version; nothing of the old one was published.",
        )


def plain_etag(etag: str) -> str:
    """The ETag without the quotation marks that it has in headers, and not in lists."""
    return etag.strip('"')


async def look(container: str, name: str) -> StoredFile:
    """The newest version of a file.

    Raises:
        NotFound: there is none of this name.
    """
    from azure.core.exceptions import AzureError, ResourceNotFoundError  # noqa: PLC0415 - loads in the activity

    try:
        properties: Any = await blob_service().get_blob_client(container, name).get_blob_properties()
    except ResourceNotFoundError:
        raise NotFound(
            f"There is no file {name} in the container {container}.",
            code="unknown-file",
            remedy=f"Upload it under {INBOX}, then start again.",
        ) from None
    except AzureError as error:
        raise unavailable(container, name, error) from error
    return StoredFile(container, name, plain_etag(str(properties.etag)), int(properties.size))


async def unpack(file: StoredFile, name: str) -> StoredFile:
    """Unpack a gzip file into another blob of its container; done before, it stays.

    Raises:
        InvalidInput: the file is damaged, or has more than MOST_UNPACKED bytes once it is unpacked.
    """
    await create_blob(file.container, name, unpacked_pieces(file.chunks(0)))
    return await look(file.container, name)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is: `jsonl`, `csv` or `parquet`, packed or not."""

    format: str
    gzip: bool

    @property
    def packed_parquet(self) -> bool:
        """Whether it must be unpacked first: a Parquet file is read from its end."""
        return self.gzip and self.format == "parquet"


def kind_of(name: str, begins: bytes) -> Kind:
    """What the file is, by the ending of its name and its first bytes.

    Raises:
        InvalidInput: its name has no ending that is known.
    """
    plain = name.lower().removesuffix(".gz").removesuffix(".gzip")
    ending = next((ending for ending in _KINDS if plain.endswith(ending)), None)
    if ending is None:
        raise InvalidInput(
            f"What kind of file {name} is cannot be told from its name.",
            field="blob",
            code="unknown-format",
            remedy=f"Let it end in one of {', '.join(_KINDS)}, each also with .gz.",
        )
    return Kind(_KINDS[ending], begins.startswith(GZIP))


async def check_text(file: StoredFile, kind: Kind) -> None:
    """See by its beginning that a file is text in lines.

    Raises:
        InvalidInput: it is in UTF-16 or no text at all, or its lines end in CR alone; or it is damaged.
    """
    begins = await file.read(0, _BEGINNING) if file.size else b""
    if kind.gzip:
        async with aclosing(unpacked_pieces(file.chunks(0))) as pieces:
            begins = await anext(pieces, b"")
    if begins.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in begins[:4]:
        raise InvalidInput(
            f"The file {file.name} is in UTF-16, or is no text.",
            field="blob",
            code="encoding",
            remedy="Write it in UTF-8 and send it again.",
        )
    if b"\r" in begins and b"\n" not in begins:
        raise InvalidInput(
            f"The lines of the file {file.name} end in CR alone.",
            field="blob",
            code="line-ends",
            remedy="Save it with line ends of LF or CR LF and send it again.",
        )

"""The catalog of the Iceberg tables: REST in Azure, SQL where there is one machine. Loads pyiceberg, and blocks."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException, RESTError
from requests.exceptions import RequestException
from sqlalchemy.exc import OperationalError

from shared.authcache.base.fetching import own_folder
from shared.authcache.settings import settings
from shared.platform.errors import TransientError
from shared.platform.settings import settings as platform_settings
from shared.platform.stores.blob_files import ensure_container

_UPLOAD = "Failed to upload block"
"""How the RuntimeError begins by which adlfs says that the storage did not take a file."""


def catalog() -> Catalog:
    """The catalog that the settings name.

    Raises:
        TransientError: it cannot be reached.
    """
    with answering(), _OPENING:  # the first to open a SQL catalog makes its tables
        return _opened(os.getpid(), tuple(sorted(_properties().items(), key=lambda one: one[0])))


_OPENING = Lock()


async def ready() -> None:
    """See that the container of the tables exists, where the catalog leaves that to the app. Raises TransientError."""
    if not (settings().authcache_catalog_uri or "").startswith("http"):
        await ensure_container(settings().authcache_lake_container)


@contextmanager
def answering() -> Generator[None]:
    """Turns what the catalog and its storage raise when they do not answer into TransientError.

    What says that somebody else committed first is left as it is.
    """
    try:
        yield
    except CommitStateUnknownException as error:
        raise TransientError("Whether the catalog committed is not known.", code="catalog-unknown") from error
    except CommitFailedException:
        raise
    except (RESTError, RequestException, OperationalError, OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not str(error).startswith(_UPLOAD):
            raise
        raise TransientError(
            f"The Iceberg catalog or its storage does not answer: {type(error).__name__}.", code="catalog-unavailable"
        ) from error


@cache
def _opened(process: int, properties: tuple[tuple[str, Any], ...]) -> Catalog:  # noqa: ARG001 - one a process
    return load_catalog("authcache", **dict(properties))


def _properties() -> dict[str, Any]:
    config = settings()
    uri = _uri()
    common = {"py-io-impl": "pyiceberg.io.fsspec.FsspecFileIO"}
    # A REST catalog names the account of its tables with each, and vends what opens it: what stands here would win.
    if not uri.startswith("http") or platform_settings().storage_connection:
        common |= _storage()
    if not uri.startswith("http"):
        return {
            "type": "sql",
            "uri": uri,
            "warehouse": f"abfss://{config.authcache_lake_container}/warehouse",
            **common,
        }
    rest: dict[str, Any] = {"type": "rest", "uri": uri, "warehouse": config.authcache_warehouse, **common}
    if config.authcache_catalog_scope:
        client = platform_settings().azure_client_id
        entra = {
            "scopes": [config.authcache_catalog_scope],
            **({"managed_identity_client_id": client} if client else {}),
        }
        rest["auth"] = _Hashable({"type": "entra", "entra": entra})
    return rest


class _Hashable(dict[str, Any]):
    def __hash__(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride] - so that it may be a key
        return hash(str(self))


def _uri() -> str:
    if named := settings().authcache_catalog_uri:
        return named
    own_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    return f"sqlite:///{own_folder() / 'catalog.db'}"


def _storage() -> dict[str, Any]:
    config = platform_settings()
    if config.storage_connection:
        connection = config.storage_connection.get_secret_value()
        parts = dict(part.split("=", 1) for part in connection.split(";") if part)
        return {
            "adls.connection-string": connection,
            "adls.account-name": parts["AccountName"],
            "adls.account-key": parts["AccountKey"],
        }
    host = urlsplit(config.storage_blob_endpoint or "").hostname or ""
    return {"adls.account-name": host.partition(".")[0], "adls.client-id": config.azure_client_id or ""}

"""The identities that the app shows to Azure: its own, and any other that is assigned to it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from shared.platform.settings import settings

if TYPE_CHECKING:
    from azure.identity.aio import DefaultAzureCredential

COGNITIVE_SERVICES_SCOPE = "https://cognitiveservices.azure.com/.default"
"""Of Azure OpenAI."""
POSTGRES_SCOPE = "https://ossrdbms-aad.database.windows.net/.default"


_opened: set[str | None] = set()


@lru_cache(maxsize=8)
def credential(client_id: str | None = None) -> DefaultAzureCredential:
    """The managed identity in Azure, the developer's own sign-in elsewhere; tokens are cached and renewed inside.

    `client_id` names another identity than the app's own.
    """
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - loads in the activity that needs it

    _opened.add(client_id)
    return DefaultAzureCredential(managed_identity_client_id=client_id or settings().azure_client_id)


async def close_credentials() -> None:
    """Close what the identities have open. For commands, whose process ends."""
    for client_id in _opened:
        await credential(client_id).close()
    _opened.clear()
    credential.cache_clear()


async def postgres_password() -> str:
    """A token that PostgreSQL takes as the password of the app's identity."""
    return (await credential().get_token(POSTGRES_SCOPE)).token

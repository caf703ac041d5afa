"""The client of OpenAI, or of Azure OpenAI with the app's identity or a key, as the settings describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.papers.settings import settings
from shared.platform.calls.authorities import authorities
from shared.platform.credentials import COGNITIVE_SERVICES_SCOPE, credential
from shared.platform.errors import TerminalError, TransientError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CALL_SECONDS = 60


def openai_client() -> AsyncOpenAI:
    """A client that repeats nothing by itself."""
    from openai import AsyncOpenAI  # noqa: PLC0415 - loads in the activity that needs it

    # The library's own: it closes itself when it is forgotten, which the public one does not.
    from openai._base_client import AsyncHttpxClientWrapper  # noqa: PLC0415 - as above

    config = settings()
    return AsyncOpenAI(
        api_key=config.papers_openai_key.get_secret_value() if config.papers_openai_key else _token,
        base_url=config.papers_openai_endpoint,
        max_retries=0,
        timeout=CALL_SECONDS,
        http_client=AsyncHttpxClientWrapper(verify=authorities()),
    )


async def _token() -> str:
    """A token of the app's identity.

    Raises:
        TerminalError: there is none for it.
        TransientError: whoever gives them did not answer.
    """
    from azure.core.exceptions import AzureError, ClientAuthenticationError  # noqa: PLC0415 - as above

    try:
        return (await credential().get_token(COGNITIVE_SERVICES_SCOPE)).token
    except ClientAuthenticationError as error:
        raise TerminalError(
            f"The app's identity gets no token for Azure OpenAI: {str(error.message)[:300]}",
            code="embedder-refuses-us",
            remedy="Set PAPERS_OPENAI_KEY, or give the app an identity.",
        ) from error
    except AzureError as error:
        raise TransientError(
            f"No token for Azure OpenAI: {type(error).__name__}.", code="embedder-unavailable"
        ) from error

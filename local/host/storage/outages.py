"""When a storage service does not answer: how long its SDK tries, and what is said then."""

from typing import Any

from azure.core.exceptions import AzureError, ServiceRequestError

# The SDKs would try for more than a minute before they say that nothing listens.
RETRIES: dict[str, Any] = {"retry_total": 2, "initial_backoff": 0, "increment_base": 1, "random_jitter_range": 0}


def problem(error: AzureError) -> str:
    """The first line of an error of a storage SDK, with the remedy when nothing listens at the address."""
    text = str(error).partition("\n")[0].removesuffix(".")
    if isinstance(error, ServiceRequestError):
        return f"{text}. Start the storage there (UseDevelopmentStorage=true means Azurite); it is tried again."
    return f"{text}."

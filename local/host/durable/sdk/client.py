"""What the SDK's durable client is given, and the end of its connections."""

import sys

from azure.functions import meta

from local.host.core.functions import Binding, Function
from local.host.core.logs import host_log
from local.host.worker.calls import Call


class DurableClientInput:
    """The durableClient input binding."""

    def __init__(self, hub: str, text: str) -> None:
        """`text` is what every client of the task hub `hub` is built from."""
        self._hub = hub
        self._text = text

    async def read(self, function: Function, binding: Binding, call: Call) -> meta.Datum:  # noqa: ARG002 - the same for every call
        """The JSON text that the SDK builds its client from."""
        hub = binding.text("taskHub")
        if hub and hub.lower() != self._hub.lower():
            host_log.warning(
                "Function '%s' asks for a client of the task hub '%s'; this host has '%s' alone and gives that one.",
                function.name,
                hub,
                self._hub,
            )
        return meta.Datum(self._text, "string")


async def close_client_session() -> None:
    """Close the connections of the SDK's client: it keeps them for the process, but they belong to this loop."""
    utils = sys.modules.get("azure.durable_functions.models.utils.http_utils")
    if utils is not None:
        await utils._close_session()  # noqa: SLF001 - the SDK has no hook for the end of a worker


def webhook_base(website_hostname: str) -> str:
    """The address of the extension's webhook: plain HTTP only for a host name that starts with `localhost:`."""
    scheme = "http" if website_hostname.startswith("localhost:") else "https"
    return f"{scheme}://{website_hostname}/runtime/webhooks/durabletask"

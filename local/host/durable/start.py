"""Starts the durable extension for an app that needs it."""

import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from local.host.core.clock import Clock
from local.host.core.errors import ConfigurationError
from local.host.core.functions import DURABLE_CLIENT
from local.host.durable.sdk.client import DurableClientInput, close_client_session, webhook_base
from local.host.durable.sdk.functions import DurableFunctionsOfApp
from local.host.settings.host_json import HostJson, resolve_section
from local.host.web.embedded import EmbeddedServer
from local.host.web.keys import KeyStore
from local.host.web.ports import bind_rpc
from local.host.web.secret_path import SecretPath
from local.host.worker.dispatch import Dispatcher

if TYPE_CHECKING:
    from local.host.durable.extension import DurableExtension
    from local.host.durable.model.ports import Resumed

WEBHOOK = "durabletask"
"""The name of the management API under /runtime/webhooks."""


async def start_extension(
    functions: DurableFunctionsOfApp,
    dispatcher: Dispatcher,
    *,
    host_json: HostJson,
    keys: KeyStore,
    data: Path,
    clock: Clock,
    enable_auth: bool,
    undo: AsyncExitStack,
) -> "tuple[DurableExtension, Resumed]":
    """Open the task hub in the data folder and resume what it holds; `undo` takes down what is started here.

    The port that the app's own client uses asks for no key, since in Azure nothing else reaches it. On a machine where
    other processes do, `enable_auth` puts it below a path that the client alone is told.

    Raises ConfigurationError for what host.json says, and for a hub that another host has or that is damaged.
    """
    # Imported here, since these cost half of the start and only durable apps need them.
    from local.host.durable.extension import DurableExtension  # noqa: PLC0415 - as said above
    from local.host.durable.model.options import DurableOptions  # noqa: PLC0415 - as said above

    section = resolve_section(host_json.section("extensions.durableTask"), os.environ)
    try:
        options = DurableOptions.parse(section)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
    extension = DurableExtension(functions, options, data / f"{options.hub_name.lower()}.db", clock)
    guard = SecretPath(extension.rpc) if enable_auth else None
    rpc = EmbeddedServer(guard or extension.rpc, bind_rpc())
    undo.push_async_callback(rpc.stop)
    undo.push_async_callback(extension.stop)
    undo.push_async_callback(close_client_session)
    text = extension.client_binding(
        webhook_base(os.environ["WEBSITE_HOSTNAME"]),
        keys.system_key(f"{WEBHOOK}_extension"),
        f"http://127.0.0.1:{rpc.port}{f'/{guard.key}' if guard else ''}/durabletask/",
    )
    dispatcher.inputs[DURABLE_CLIENT] = DurableClientInput(options.hub_name, text)
    await rpc.start()
    return extension, await extension.start()

"""The app's settings on this machine: those of the example, changed by the developer, with the actual addresses."""

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path

from local import azurite, postgres
from local.servicebus.queues.settings import NAMESPACE
from local.up.keys import PLATFORM_TOKEN, Keys
from local.up.ports import Ports

ROOT = Path(__file__).parents[2]
PUBLIC_URL = "FOLLOWUPS_PUBLIC_URL"
"""Where links in mails lead: to this host, unless the developer names another address."""


def settings(
    ports: Ports,
    without: Collection[str] = (),
    environment: Mapping[str, str] | None = None,
    keys: Keys | None = None,
) -> dict[str, str]:
    """Return every setting of local.settings.json.example with the value that holds here.

    The developer's local.settings.json comes before the example, `environment` before both, and the addresses of the
    services that run here, with `keys` (the emulators' unless given), before all: a service in `without` keeps the
    address that the developer gave it.

    Raises:
        FileNotFoundError: the example is missing.
        ValueError: one of the files is not JSON with an object of strings named Values.
    """
    example = _values(ROOT / "local.settings.json.example")
    values = dict(example)
    own_settings = ROOT / "local.settings.json"
    if own_settings.exists():
        values |= _values(own_settings)
    values |= {name: value for name, value in (environment or {}).items() if name in values}
    for service, addresses in _addresses(ports, keys or Keys()).items():
        if service not in without:
            values |= addresses
    if PUBLIC_URL in example and values[PUBLIC_URL] == example[PUBLIC_URL]:
        values[PUBLIC_URL] = f"http://127.0.0.1:{ports.host}"
    # The tables' catalog is a file there, which has to go when the blobs that it names go.
    values["AUTHCACHE_FOLDER"] = str(Path(os.environ.get("MANIFOLD_LOCAL_DIR", ".local")).absolute() / "authcache")
    return values


def _addresses(ports: Ports, keys: Keys) -> dict[str, dict[str, str]]:
    storage = azurite.connection_string(
        azurite.Ports(blob=ports.azurite, queue=ports.azurite_queue, table=ports.azurite_table),
        key=keys.storage,
    )
    # The account of Microsoft's own emulator, so that either may listen there.
    account = f"SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey={keys.messages}"
    bus = f"Endpoint=sb://127.0.0.1:{ports.servicebus};{account};UseDevelopmentEmulator=true"
    token = {PLATFORM_TOKEN: keys.platform_token} if keys.platform_token else {}
    return {
        "azurite": {"AzureWebJobsStorage": storage, "STORAGE_CONNECTION": storage},
        "postgres": {"POSTGRES_DSN": postgres.dsn(ports.postgres)},
        "servicebus": {
            "ServiceBus": bus,
            "SERVICEBUS_RESOURCE": f"http://127.0.0.1:{ports.servicebus_admin}{NAMESPACE}",
        },
        "cosmos": {
            "COSMOS_CONNECTION": f"AccountEndpoint=http://127.0.0.1:{ports.cosmos}/;AccountKey={keys.documents};"
        },
        "apps": {"LOCAL_PLATFORM_URL": f"http://127.0.0.1:{ports.apps}"} | token,
        "supplier": {
            "NIVODA_ENDPOINT": f"http://127.0.0.1:{ports.supplier}/graphql",
            "BRILLIANT_ENDPOINT": f"http://127.0.0.1:{ports.supplier}/rest/v1",
        },
        "smtp": {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(ports.smtp)},
    }


def _values(path: Path) -> dict[str, str]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))["Values"]
        return {str(name): str(value) for name, value in values.items()}
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path.name} must be JSON with an object named Values: {error}") from None

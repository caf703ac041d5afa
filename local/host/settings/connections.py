"""Where bindings connect to: connection strings and identities, looked up as the Functions host does."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from local.host.core.errors import ConfigurationError

_AZURITE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
)


@dataclass(frozen=True)
class Connection:
    """Where a binding connects: a connection string, or the properties of an identity-based connection."""

    name: str
    connection_string: str | None
    properties: Mapping[str, str]

    def need(self, *names: str) -> str:
        """The first of the identity-based properties that is set. Raises ConfigurationError when none is."""
        lowered = {key.lower(): value for key, value in self.properties.items()}
        for name in names:
            if name.lower() in lowered:
                return lowered[name.lower()]
        wanted = ", ".join(f"{self.name}__{one}" for one in names)
        raise ConfigurationError(f"The connection '{self.name}' has none of the settings {wanted}.")


class Client(Protocol):
    """A client of a service's SDK."""

    async def close(self) -> Any:
        """Close its connections."""
        ...


AnyClient = TypeVar("AnyClient", bound=Client)


class Clients(ABC, Generic[AnyClient]):
    """The clients of one service, one for each connection, shared by the bindings to it."""

    service: str

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._clients: dict[str, AnyClient] = {}

    @abstractmethod
    def connect(self, connection: Connection) -> AnyClient:
        """A new client. Raises ValueError when the connection string cannot be read."""

    def client(self, connection: str) -> AnyClient:
        """The client of a connection. Raises ConfigurationError when it has no settings or they cannot be read."""
        if connection not in self._clients:
            found = find_connection(connection, self._environment)
            try:
                self._clients[connection] = self.connect(found)
            except ValueError as error:
                raise ConfigurationError(
                    f"The setting '{found.name}' is no {self.service} connection string: {error}"
                ) from error
        return self._clients[connection]

    async def close(self) -> None:
        """Close every client."""
        for client in self._clients.values():
            await client.close()
        self._clients.clear()


def find_connection(name: str, environment: Mapping[str, str]) -> Connection:
    """The settings of a binding's connection: `AzureWebJobs<name>` before `<name>`. Raises ConfigurationError."""
    candidates = [f"AzureWebJobs{name}", name] if name else ["AzureWebJobsStorage"]
    for candidate in candidates:
        for key in (f"ConnectionStrings:{candidate}", f"ConnectionStrings__{candidate}", candidate):
            text = environment.get(key)
            if text:
                return Connection(candidate, _development_storage(text), {})
        prefix = f"{candidate}__"
        properties = {key[len(prefix) :]: value for key, value in environment.items() if key.startswith(prefix)}
        if properties:
            return Connection(candidate, None, properties)
    raise ConfigurationError(
        f"The connection setting '{candidates[-1]}' is missing. "
        "Set it under Values in local.settings.json or in the environment."
    )


def credential(connection: Connection) -> Any:
    """The token credential of an identity-based connection; a user-assigned one when `__clientId` is set."""
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - 0.4 s that only such a connection needs

    client_id = connection.properties.get("clientId")
    if client_id:
        return DefaultAzureCredential(managed_identity_client_id=client_id)
    return DefaultAzureCredential()


def _development_storage(text: str) -> str:
    # The Python SDKs do not know the short form that .NET accepts.
    return _AZURITE if text.strip().rstrip(";").lower() == "usedevelopmentstorage=true" else text

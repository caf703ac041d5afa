"""The platform's settings with their units and defaults, and how every group of settings is read.

In Azure they are app settings (secrets as Key Vault references); locally they come from local.settings.json. Each
workload has a group of its own in shared/<workload>/settings.py. Nothing else reads the environment.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Annotated, Literal, Self, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator

from shared.platform.errors import TerminalError
from shared.platform.models import LazyModel

SECRET_LENGTH = 32
MOST_SECRETS = 2
"""Of one client that signs: the one in use and the one it is being replaced by."""


def _hmac_secrets(value: object) -> object:
    """Each client's one or two secrets as a tuple; the messages name clients, never secrets."""
    try:
        given = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("this is no JSON") from None
    if not isinstance(given, dict):
        raise ValueError('an object {"client": "secret"} is needed')  # noqa: TRY004 - pydantic reads ValueError
    found: dict[str, tuple[str, ...]] = {}
    for client, secret in cast("dict[str, object]", given).items():
        secrets = tuple(cast("list[object]", secret)) if isinstance(secret, list) else (secret,)
        usable = [one for one in secrets if isinstance(one, str) and len(one) >= SECRET_LENGTH]
        if not 1 <= len(secrets) == len(usable) <= MOST_SECRETS:
            raise ValueError(f"{client} needs one or {MOST_SECRETS} secrets of {SECRET_LENGTH} characters or more")
        found[client] = tuple(usable)
    return found


def _webhook_url(value: object) -> object:
    """The address; no message repeats it, since who knows it can post. Key Vault keeps no empty secret, so `unset`."""
    if value is None or value == "unset":
        return None
    url = urlsplit(value) if isinstance(value, str) else None
    if url is None or not url.hostname:
        raise ValueError("an address https://... is needed")
    if url.scheme != "https" and (url.scheme, url.hostname) not in {("http", "127.0.0.1"), ("http", "localhost")}:
        raise ValueError("only https is spoken, and http to this machine alone")
    return value


class Settings(LazyModel):
    """A group of settings; a field's alias, or its name in upper case, is the setting's name.

    Each is read from one text, by the type of its field: a cold start has no time for pydantic-settings, which takes
    longer to load than all the models of a request.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    @classmethod
    def of_environment(cls) -> Self:
        """What the environment says, names in whatever case; an empty text counts as unset.

        Raises:
            ValidationError: a setting is missing or unusable.
        """
        environment = {name.upper(): value for name, value in os.environ.items() if value}
        names = [field.alias or name for name, field in cls.model_fields.items()]
        return cls.model_validate({name: environment[name.upper()] for name in names if name.upper() in environment})

    @field_validator("*", mode="before")
    @classmethod
    def _resolved(cls, value: object) -> object:
        # The platform hands an unresolved reference on as it stands: as a key it could be guessed.
        if isinstance(value, str) and value.startswith("@Microsoft.KeyVault("):
            message = "the Key Vault reference is not resolved; see the app's identity and the secret's name"
            raise ValueError(message)
        return value


class PlatformSettings(Settings):
    """What every workload stands on: database, blobs, queues, documents, callers, mail, telemetry."""

    postgres_dsn: str = Field(
        description="libpq connection string of the database; without a password when POSTGRES_AUTH is entra"
    )
    postgres_auth: Literal["password", "entra"] = Field(
        default="password", description="entra: the password is a token of the app's identity"
    )
    postgres_pool_size: int = Field(default=12, ge=1, le=100, description="connections one host instance may hold open")
    storage_connection: SecretStr | None = Field(
        default=None, description="connection string of the app's blobs (local); Azure uses STORAGE_BLOB_ENDPOINT"
    )
    storage_blob_endpoint: str | None = Field(
        default=None, description="https address of the app's blobs, opened with the app's identity"
    )
    azure_client_id: str | None = Field(
        default=None, description="client id of the user-assigned identity; unset: the default credential chain"
    )
    servicebus: SecretStr | None = Field(default=None, description="Service Bus connection string (local)")
    servicebus_namespace: str | None = Field(
        default=None,
        alias="ServiceBus__fullyQualifiedNamespace",
        description="Service Bus host name, opened with the app's identity",
    )
    servicebus_resource: str | None = Field(
        default=None,
        pattern=r"^https?://[^/]+/subscriptions/.+/namespaces/[^/]+$",
        description="address of the namespace at the resource manager, which counts what its queues hold;"
        " unset: they are counted by peeking",
    )
    servicebus_queues: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9._-]+(,[A-Za-z0-9._-]+)*)?$",
        description="queues that operators see, by commas; unset: those that the workloads use",
    )
    instance_retention_days: int = Field(default=30, ge=1, description="days that finished orchestrations are kept")
    cosmos_connection: SecretStr | None = Field(
        default=None, description="Cosmos DB connection string (local); Azure uses COSMOS_ENDPOINT"
    )
    cosmos_endpoint: str | None = Field(
        default=None, description="https address of the Cosmos DB account, opened with the app's identity"
    )
    cosmos_database: str = Field(default="manifold", description="database of the app's documents")
    azure_management_endpoint: str = Field(
        default="https://management.azure.com",
        description="address of Azure's resource manager, which each cloud has its own of",
    )
    admin_api_key: SecretStr | None = Field(
        default=None,
        description="key of the operator's routes, sent as X-Admin-Key; unset: those routes refuse everyone",
    )
    operator_sign_in: Literal["none", "entra"] = Field(
        default="none",
        description="how operators may sign in besides the admin key; entra: App Service's sign-in in front of the app,"
        " which must then be switched on, since its headers are believed",
    )
    website_auth_enabled: bool = Field(
        default=True, description="set by App Service, as far as it says: whether its sign-in is switched on"
    )
    hmac_secrets: Annotated[dict[str, tuple[SecretStr, ...]], BeforeValidator(_hmac_secrets)] = Field(
        default_factory=dict[str, tuple[SecretStr, ...]],
        description='secrets of clients that sign: JSON {"client": "secret"}, or ["new", "old"] while one is replaced',
    )
    client_requests_per_minute: int = Field(
        default=600,
        ge=0,
        le=1_000_000,
        description="requests a minute of each client, all instances together; 0: no limit",
    )
    mail_provider: Literal["smtp", "resend", "none"] = Field(
        default="smtp", description="who delivers alerts; none: nobody, the log has them"
    )
    smtp_host: str = Field(default="127.0.0.1", description="SMTP relay for alerts")
    smtp_port: int = Field(default=1025, ge=1, le=65535, description="port of the SMTP relay")
    resend_api_key: SecretStr | None = Field(default=None, description="key of the Resend account")
    resend_endpoint: str = Field(default="https://api.resend.com", description="address of the Resend API")
    alert_email_to: str = Field(
        default="alerts@example.com", description="who gets a mail when something needs a person"
    )
    alert_email_from: str = Field(default="manifold@example.com", description="sender of alerts")
    alert_webhook_url: Annotated[SecretStr | None, BeforeValidator(_webhook_url)] = Field(
        default=None,
        description="https address of an incoming webhook of Slack or Teams (Workflows) that alerts are also posted to;"
        " a secret. unset: none",
    )
    applicationinsights_connection_string: str | None = Field(
        default=None, description="where traces, logs and metrics go; unset: nowhere"
    )


Group = TypeVar("Group", bound=Settings)


def read_settings(group: type[Group]) -> Group:
    """The settings of a group in this process, read from the environment once.

    Raises:
        TerminalError: a setting is missing or unusable; the message names each and where to set it.
    """
    return cast("Group", read_group(group))


@cache
def read_group(group: type[Settings]) -> Settings:
    """As `read_settings`, for any group."""
    try:
        return group.of_environment()
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors(include_input=False)
        )
        raise TerminalError(
            f"The app's settings are not usable: {wrong}.",
            code="settings",
            remedy="Set them as app settings in Azure, or under Values in local.settings.json.",
        ) from None


def settings() -> PlatformSettings:
    """The platform's settings. Raises TerminalError as `read_settings`."""
    return read_settings(PlatformSettings)

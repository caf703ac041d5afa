"""Every setting of the app with its unit and default. The only module that reads the environment.

In Azure these are app settings (secrets as Key Vault references); locally they come from local.settings.json.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Annotated, Literal, cast

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.platform.errors import TerminalError

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


class Settings(BaseSettings):
    """What the app is told by its environment; a field's name in upper case is the setting's name."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    postgres_dsn: str = Field(
        description="libpq connection string of the database; without a password when POSTGRES_AUTH is entra"
    )
    postgres_auth: Literal["password", "entra"] = Field(
        "password", description="entra: the password is a token of the app's identity"
    )
    postgres_pool_size: int = Field(12, ge=1, le=100, description="connections one host instance may hold open")

    storage_connection: SecretStr | None = Field(
        None, description="connection string of the app's blobs (local); Azure uses STORAGE_BLOB_ENDPOINT"
    )
    storage_blob_endpoint: str | None = Field(
        None, description="https address of the app's blobs, opened with the app's identity"
    )
    watermark_container: str = Field("watermarks", description="container of the feeds' watermarks")

    azure_client_id: str | None = Field(
        None, description="client id of the user-assigned identity; unset: the default credential chain"
    )

    servicebus: SecretStr | None = Field(None, description="Service Bus connection string (local)")
    servicebus_namespace: str | None = Field(
        None,
        alias="ServiceBus__fullyQualifiedNamespace",
        description="Service Bus host name, opened with the app's identity",
    )
    servicebus_resource: str | None = Field(
        None,
        pattern=r"^https?://[^/]+/subscriptions/.+/namespaces/[^/]+$",
        description="address of the namespace at the resource manager, which counts what its queues hold;"
        " unset: they are counted by peeking",
    )
    servicebus_queues: str = Field(
        "consolidate,deployments",
        pattern=r"^[A-Za-z0-9._-]+(,[A-Za-z0-9._-]+)*$",
        description="queues that operators see, by commas",
    )

    nivoda_endpoint: str = Field("", description="GraphQL address of the Nivoda supplier")
    nivoda_username: str = Field("", description="user name at Nivoda")
    nivoda_password: SecretStr = Field(SecretStr(""), description="password at Nivoda")
    nivoda_price_unit: Literal["cents", "dollars"] = Field("cents", description="unit of the prices that Nivoda sends")
    nivoda_requests_per_second: float = Field(
        25, ge=0, description="requests/s over the whole account, all instances together; 0: no limit"
    )
    nivoda_page_size: int = Field(50, ge=1, le=50, description="diamonds per page; the vendor's maximum is 50")
    nivoda_timeout_seconds: float = Field(
        30, gt=0, le=300, description="seconds to wait for one answer of the supplier"
    )

    brilliant_endpoint: str = Field("", description="address of the Brilliant supplier's REST feed")
    brilliant_api_key: SecretStr = Field(SecretStr(""), description="key of the account at Brilliant")
    brilliant_price_unit: Literal["cents", "dollars"] = Field(
        "dollars", description="unit of the prices that Brilliant sends"
    )
    brilliant_requests_per_second: float = Field(
        10, ge=0, description="requests/s over the whole account, all instances together; 0: no limit"
    )
    brilliant_timeout_seconds: float = Field(
        30, gt=0, le=300, description="seconds to wait for one answer of Brilliant"
    )

    feeds: str = Field(
        "nivoda",
        pattern=r"^[a-z][a-z0-9-]*(,[a-z][a-z0-9-]*)*$",
        description="feeds that are read every night, by commas",
    )
    full_run_days: str = Field(
        "sun",
        pattern=r"^(none|(mon|tue|wed|thu|fri|sat|sun)(,(mon|tue|wed|thu|fri|sat|sun))*)$",
        description="weekdays (mon to sun by commas, or none) whose night reads all of a feed, which alone finds what"
        " was deleted",
    )
    delete_share_limit: float = Field(
        0.2, ge=0, le=1, description="share of a feed's diamonds that a full run may mark deleted; over it, none is"
    )
    watermark_age_hours: int = Field(48, ge=1, description="hours after which a watermark that stands still is told")
    raw_retention_days: int = Field(90, ge=1, description="days that raw rows are kept which no run has seen")
    run_retention_days: int = Field(
        30, ge=1, description="days that the partitions and sightings of ended runs are kept"
    )
    instance_retention_days: int = Field(30, ge=1, description="days that finished orchestrations are kept")

    max_scheduler_records: int = Field(0, ge=0, description="cap on the diamonds of one run; 0: no cap")
    ingest_seconds: float = Field(
        240, gt=0, le=540, description="seconds one ingestion activity works before it hands back its cursor"
    )
    partial_share: float = Field(
        0.7,
        gt=0,
        le=1,
        description="share of partitions that must succeed for a partial consolidation to start by itself",
    )
    partial_wait_seconds: int = Field(
        300, ge=0, le=86_400, description="seconds a partial consolidation waits for failed partitions to be retried"
    )
    watermark_overlap_seconds: int = Field(
        900, ge=0, description="seconds the next update window reaches back before this run's start"
    )

    manifold_local_dir: str = Field(".local", description="folder of what the app itself keeps on a laptop")
    cosmos_connection: SecretStr | None = Field(
        None, description="Cosmos DB connection string (local); Azure uses COSMOS_ENDPOINT"
    )
    cosmos_endpoint: str | None = Field(
        None, description="https address of the Cosmos DB account, opened with the app's identity"
    )
    cosmos_database: str = Field("manifold", description="database of the deployments' state")
    git_hosts: str = Field(
        "",
        pattern=r"^([A-Za-z0-9.-]+(,[A-Za-z0-9.-]+)*)?$",
        description="hosts that sources are fetched from, by commas; unset: any public one",
    )
    local_platform_url: str = Field(
        "http://127.0.0.1:8500", description="address of the platform for apps on this machine"
    )
    local_platform_token: SecretStr = Field(
        SecretStr(""), description="what the platform for apps on this machine asks of its caller"
    )
    container_platform: Literal["local", "azure"] = Field(
        "local", description="where deployed apps run: on this machine, or on Azure Container Apps"
    )
    max_concurrent_deployments: int = Field(5, ge=1, le=1_000, description="deployments at work at the same time")
    deployment_timeout_ms: int = Field(
        1_800_000, ge=1_000, le=86_400_000, description="milliseconds that a deployment may work"
    )
    deployment_retention_days: int = Field(
        90, ge=1, description="days that an ended deployment, its log and its source are kept, and a failed one retried"
    )
    build_container_cpu: float = Field(2, gt=0, le=64, description="cores that a build may use")
    build_container_memory: float = Field(4, gt=0, le=256, description="GiB of memory that a build may use")
    azure_management_endpoint: str = Field(
        "https://management.azure.com",
        description="address of Azure's resource manager, which each cloud has its own of",
    )
    azure_poll_seconds: float = Field(
        2, ge=0.1, le=60, description="seconds between two looks at the same build, revision or certificate in Azure"
    )
    azure_subscription_id: str = Field("", description="subscription of the deployed apps")
    azure_resource_group: str = Field("", description="resource group of the deployed apps")
    azure_location: str = Field("", description="region of the deployed apps")
    azure_container_registry: str = Field("", description="name of the registry of the deployed apps' images")
    container_apps_environment_id: str = Field("", description="resource id of the environment of the deployed apps")
    container_apps_identity_id: str = Field(
        "", description="resource id of the identity with which deployed apps fetch their image"
    )
    key_vault_uri: str | None = Field(
        None, description="https address of the vault of deployed apps' variables; unset: files on this machine"
    )

    admin_api_key: SecretStr | None = Field(
        None, description="key of the operator's routes, sent as X-Admin-Key; unset: those routes refuse everyone"
    )

    hmac_secrets: Annotated[dict[str, tuple[SecretStr, ...]], NoDecode, BeforeValidator(_hmac_secrets)] = Field(
        default_factory=dict[str, tuple[SecretStr, ...]],
        description='secrets of clients that sign: JSON {"client": "secret"}, or ["new", "old"] while one is replaced',
    )
    client_requests_per_minute: int = Field(
        600, ge=0, le=1_000_000, description="requests a minute of each client, all instances together; 0: no limit"
    )

    mail_provider: Literal["smtp", "resend"] = Field("smtp", description="who delivers alerts")
    smtp_host: str = Field("127.0.0.1", description="SMTP relay for alerts")
    smtp_port: int = Field(1025, ge=1, le=65535, description="port of the SMTP relay")
    resend_api_key: SecretStr | None = Field(None, description="key of the Resend account")
    resend_endpoint: str = Field("https://api.resend.com", description="address of the Resend API")
    alert_email_to: str = Field("alerts@example.com", description="who is told when something needs a person")
    alert_email_from: str = Field("manifold@example.com", description="sender of alerts")

    applicationinsights_connection_string: str | None = Field(
        None, description="where traces, logs and metrics go; unset: nowhere"
    )

    @field_validator("*", mode="before")
    @classmethod
    def _resolved(cls, value: object) -> object:
        # The platform hands an unresolved reference on as it stands: as a key it could be guessed.
        if isinstance(value, str) and value.startswith("@Microsoft.KeyVault("):
            message = "the Key Vault reference is not resolved; see the app's identity and the secret's name"
            raise ValueError(message)
        return value


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        TerminalError: a setting is missing or unusable; the message names each and where to set it.
    """
    try:
        return Settings()  # pyright: ignore[reportCallIssue] - required fields come from the environment
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors(include_input=False)
        )
        raise TerminalError(
            f"The app's settings are not usable: {wrong}.",
            code="settings",
            remedy="Set them as app settings in Azure, or under Values in local.settings.json.",
        ) from None

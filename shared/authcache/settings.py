"""The settings of the workload authcache, with their units and defaults."""

from __future__ import annotations

from functools import cached_property

from pydantic import Field, model_validator

from shared.platform.access.tokens import SigningKeys
from shared.platform.http.cors import Origins
from shared.platform.settings import Settings, read_settings

_ORIGIN = r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?"


class AuthCacheSettings(Settings):
    """For the log, its base, what instances may answer from, and for those who have accounts."""

    authcache_container: str = Field(
        default="authcache",
        min_length=3,
        max_length=63,
        pattern="^[a-z0-9-]+$",
        description="blob container of the log, the base and its manifest",
    )
    authcache_folder: str = Field(
        default="manifold-authcache",
        min_length=1,
        description="folder on the instance's own disk for copies of the base; relative to the system's temporary one",
    )
    authcache_refresh_seconds: float = Field(
        default=5, ge=0.1, le=300, description="seconds after which an instance looks for what others have written"
    )
    authcache_stale_seconds: float = Field(
        default=60,
        ge=1,
        le=3600,
        description="age of what an instance knows from which on it refuses to answer, while blobs cannot be read",
    )
    authcache_group_records: int = Field(
        default=500, ge=1, le=5000, description="most records that one instance writes into one blob of the log"
    )
    authcache_log_hours: float = Field(
        default=24,
        ge=1,
        le=8760,
        description="hours that a group of the log is kept after it was folded and is in Iceberg",
    )
    authcache_catalog_uri: str = Field(
        default="",
        pattern="^(https?://.+|sqlite:///.+)?$",
        description="Iceberg catalog: https://.../catalog of Lakekeeper, or sqlite:///path;"
        " unset: a SQLite file in AUTHCACHE_FOLDER, for one machine",
    )
    authcache_catalog_scope: str = Field(
        default="",
        max_length=200,
        pattern="^[A-Za-z0-9:/._-]*$",
        description="scope of the Entra token for a REST catalog, as api://<id>/.default; unset: no token is sent",
    )
    authcache_warehouse: str = Field(default="lakekeeper", description="warehouse of the REST catalog")
    authcache_lake_container: str = Field(
        default="iceberg",
        min_length=3,
        max_length=63,
        pattern="^[a-z0-9-]+$",
        description="blob container of the tables, where the catalog names none",
    )
    authcache_namespace: str = Field(
        default="investflow", max_length=100, pattern="^[A-Za-z0-9_]+$", description="Iceberg namespace of the tables"
    )
    authcache_most_files: int = Field(
        default=50, ge=2, le=10_000, description="small data files of an Iceberg table from which on they are made one"
    )
    authcache_snapshot_hours: float = Field(
        default=72, ge=0, le=8760, description="hours that a snapshot of an Iceberg table is kept"
    )
    cdc_cache_container_name: str = Field(
        default="documents",
        min_length=3,
        max_length=63,
        pattern="^[a-z0-9-]+$",
        description="blob container of the published cdc/ files",
    )
    authcache_publish_seconds: float = Field(
        default=600, ge=0, le=86_400, description="least seconds between two publications of large cdc/ files"
    )
    authcache_jwt_keys: SigningKeys = Field(
        default=(),
        description='key that signs the users\' tokens, or JSON ["new", "old"] while one is replaced;'
        " unset: nobody can log in",
    )
    authcache_token_minutes: int = Field(default=480, ge=1, le=1440, description="minutes an access token is good for")
    authcache_session_days: int = Field(
        default=30, ge=1, le=365, description="days after its log-in from which on a session cannot be refreshed"
    )
    authcache_refresh_grace_seconds: float = Field(
        default=20,
        ge=0,
        le=60,
        description="seconds for which a refresh token that was used gives the same successor again",
    )
    authcache_open_registration: bool = Field(
        default=True, description="true: anybody may register; false: only who has the admin key makes users"
    )
    authcache_cors_origins: str = Field(
        default="",
        pattern=rf"^(\*|{_ORIGIN}(,{_ORIGIN})*)?$",
        description="origins whose pages may call, by commas, each as a browser writes it; *: any; unset: none",
    )
    authcache_cors_credentials: bool = Field(
        default=False, description="true: those pages may let the browser send cookies along; never with *"
    )
    authcache_public_url: str = Field(
        default="",
        pattern=r"^(https?://[A-Za-z0-9.:/_-]+)?$",
        description="address of the pages that links in mails lead to; unset: a mail holds the token alone",
    )
    authcache_mails_per_hour: int = Field(
        default=6, ge=1, le=100, description="mails an hour that may be asked for one address, by instance"
    )

    authcache_documents_container: str = Field(
        default="documents",
        min_length=3,
        max_length=63,
        pattern="^[a-z0-9-]+$",
        description="blob container of the users' documents",
    )
    authcache_document_bytes: int = Field(
        default=50_000_000,
        ge=1,
        le=1_000_000_000,
        description="most bytes of a document; 10 MB of one that goes through the app",
    )

    @model_validator(mode="after")
    def _origins(self) -> AuthCacheSettings:
        _ = self.origins
        return self

    @cached_property
    def origins(self) -> Origins:
        """The origins whose pages may call."""
        named = frozenset(one for one in self.authcache_cors_origins.split(",") if one)
        return Origins(named, credentials=self.authcache_cors_credentials)


def settings() -> AuthCacheSettings:
    """The workload's settings. Raises TerminalError as `read_settings`."""
    return read_settings(AuthCacheSettings)

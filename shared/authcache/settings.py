"""The settings of the workload authcache, with their units and defaults."""

from __future__ import annotations

from pydantic import Field

from shared.platform.settings import Settings, read_settings


class AuthCacheSettings(Settings):
    """For the log, its base, and what instances may answer from."""

    authcache_container: str = Field(
        "authcache", pattern=r"^[a-z0-9-]{3,63}$", description="blob container of the log, the base and its manifest"
    )
    authcache_refresh_seconds: float = Field(
        5, ge=0.1, le=300, description="seconds after which an instance looks for what others have written"
    )
    authcache_stale_seconds: float = Field(
        60,
        ge=1,
        le=3600,
        description="age of what an instance knows from which on it refuses to answer, while blobs cannot be read",
    )
    authcache_group_records: int = Field(
        500, ge=1, le=5000, description="most records that one instance writes into one blob of the log"
    )


def settings() -> AuthCacheSettings:
    """The workload's settings. Raises TerminalError as `read_settings`."""
    return read_settings(AuthCacheSettings)

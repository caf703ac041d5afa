"""The settings of the backups."""

from __future__ import annotations

from pydantic import Field

from shared.platform.settings import Settings, read_settings


class BackupSettings(Settings):
    """When the database is backed up, and where to."""

    backups_hourly: bool = Field(default=False, description="whether the database is backed up every hour")
    backups_container: str = Field(
        default="backups", pattern=r"^[a-z0-9](-?[a-z0-9]){2,62}$", description="blob container of the backups"
    )
    backups_chain_days: int = Field(
        default=7, ge=1, le=31, description="days until a backup takes every row anew instead of what changed"
    )
    backups_box_seconds: float = Field(default=300, ge=1, le=540, description="seconds that an activity exports")
    backups_scratch_database: str = Field(
        default="manifold_scratch",
        pattern=r"^[a-z][a-z0-9_]{2,62}$",
        description="database of the same server in which a backup is restored to verify it; all that is in it is"
        " dropped. Made where it is missing and the app's role may",
    )


def settings() -> BackupSettings:
    """Raises TerminalError as `read_settings`."""
    return read_settings(BackupSettings)

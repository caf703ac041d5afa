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
        default="",
        pattern=r"^([a-z][a-z0-9_]{2,62})?$",
        description="database of the same server in which a backup is restored to verify it; unset, the app's database"
        " with `_scratch` behind its name. Made where it is missing and the app's role may; refused where it holds what"
        " no verification of this database has made",
    )
    backups_files: str = Field(
        default="papers/maps",
        pattern=r"^[a-z0-9-]{3,63}/[^,\s]+(,[a-z0-9-]{3,63}/[^,\s]+)*$",
        description="folders whose files are in the backups, since rows name them: container/folder, by commas; what"
        " lies in a folder `work` of them is left out",
    )
    backups_index_memory: str = Field(
        default="512MB",
        pattern=r"^[1-9][0-9]{0,6}(kB|MB|GB)$",
        description="memory with which a restore builds each index: maintenance_work_mem of PostgreSQL",
    )
    backups_index_workers: int = Field(
        default=2, ge=0, le=64, description="further processes of PostgreSQL that build an index of a restore"
    )


def settings() -> BackupSettings:
    """Raises TerminalError as `read_settings`."""
    return read_settings(BackupSettings)

"""The settings of the workload papers, with their units and defaults."""

from __future__ import annotations

from pydantic import Field

from shared.platform.settings import Settings, read_settings


class PaperSettings(Settings):
    """For taking papers in."""

    papers_container: str = Field(
        "papers", pattern=r"^[a-z0-9](-?[a-z0-9]){2,62}$", description="blob container of the files of papers"
    )
    papers_ingest_seconds: float = Field(60, ge=1, le=480, description="seconds that an activity reads or merges")
    papers_part_mb: int = Field(32, ge=1, le=1000, description="megabytes of a JSONL file that one part has")
    papers_most_gb: float = Field(5, gt=0, le=100, description="gigabytes that a file may have, as stored")
    papers_rejected_limit: float = Field(
        0.1, ge=0, le=1, description="share of a file's records over which rejected ones hold it back"
    )
    papers_lost_abstracts_limit: float = Field(
        0.1, ge=0, le=1, description="share of known papers that would lose their abstract over which a file is held"
    )
    papers_renamed_limit: float = Field(
        0.5, ge=0, le=1, description="share of known papers that would change their title over which a file is held"
    )


def settings() -> PaperSettings:
    """The workload's settings. Raises TerminalError as `read_settings`."""
    return read_settings(PaperSettings)

"""The settings of the workload diamonds, with their units and defaults."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, StringConstraints

from shared.platform.settings import Settings, read_settings

Place = Annotated[str, StringConstraints(pattern=r"^([A-Za-z_]\w*(\.[A-Za-z_]\w*){0,5})?$", max_length=200)]
"""Names joined by dots, from a payload's root down to a value."""


def _object(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("this is no JSON") from None


class DiamondSettings(Settings):
    """For reading the suppliers' feeds, and pricing what they offer."""

    watermark_container: str = Field(default="watermarks", description="container of the feeds' watermarks")
    nivoda_endpoint: str = Field(default="", description="GraphQL address of the Nivoda supplier")
    nivoda_username: str = Field(default="", description="user name at Nivoda")
    nivoda_password: SecretStr = Field(default=SecretStr(""), description="password at Nivoda")
    nivoda_price_unit: Literal["cents", "dollars"] = Field(
        default="cents", description="unit of the prices that Nivoda sends"
    )
    nivoda_requests_per_second: float = Field(
        default=25, ge=0, description="requests/s over the whole account, all instances together; 0: no limit"
    )
    nivoda_page_size: int = Field(default=50, ge=1, le=50, description="diamonds per page; the vendor's maximum is 50")
    nivoda_timeout_seconds: float = Field(
        default=30, gt=0, le=300, description="seconds to wait for one answer of the supplier"
    )
    nivoda_fields: Annotated[dict[str, Place], BeforeValidator(_object)] = Field(
        default_factory=dict[str, str],
        description="where Nivoda's answers hold a field, if not where the app takes it to be, as JSON:"
        ' {"certificate_url": "diamond.certificate.link"}; an empty place: the field is not asked for',
    )
    nivoda_trading: bool = Field(
        default=False,
        description="whether holds and purchases are made at Nivoda, too, as its accounts with API Pro may; false: they"
        " are this shop's alone",
    )
    nivoda_destination_id: str = Field(
        default="", max_length=100, description="Nivoda's id of the address that orders go to; empty: the account's own"
    )
    brilliant_endpoint: str = Field(default="", description="address of the Brilliant supplier's REST feed")
    brilliant_api_key: SecretStr = Field(default=SecretStr(""), description="key of the account at Brilliant")
    brilliant_price_unit: Literal["cents", "dollars"] = Field(
        default="dollars", description="unit of the prices that Brilliant sends"
    )
    brilliant_requests_per_second: float = Field(
        default=10, ge=0, description="requests/s over the whole account, all instances together; 0: no limit"
    )
    brilliant_timeout_seconds: float = Field(
        default=30, gt=0, le=300, description="seconds to wait for one answer of Brilliant"
    )
    feeds: str = Field(
        default="nivoda",
        pattern=r"^[a-z][a-z0-9-]*(,[a-z][a-z0-9-]*)*$",
        description="feeds that are read every night, by commas; none: no feed",
    )
    full_run_days: str = Field(
        default="sun",
        pattern=r"^(none|(mon|tue|wed|thu|fri|sat|sun)(,(mon|tue|wed|thu|fri|sat|sun))*)$",
        description="weekdays (mon to sun by commas, or none) whose night reads all of a feed, which alone finds what"
        " was deleted",
    )
    delete_share_limit: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="share of a feed's diamonds that a full run may mark deleted; over it, none is",
    )
    failed_share_limit: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="share of a run's rows that may be unusable (no price can be found, or it contradicts the query);"
        " over it, the run is held",
    )
    price_jump_share_limit: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="share of a run's prices that may double or halve; over it, the run is held",
    )
    watermark_age_hours: int = Field(
        default=48, ge=1, description="hours after which a watermark that has not moved is mailed"
    )
    raw_retention_days: int = Field(default=90, ge=1, description="days that raw rows are kept which no run has seen")
    run_retention_days: int = Field(
        default=30, ge=1, description="days that the partitions and sightings of ended runs are kept"
    )
    max_scheduler_records: int = Field(default=0, ge=0, description="cap on the diamonds of one run; 0: no cap")
    ingest_seconds: float = Field(
        default=240, gt=0, le=540, description="seconds one ingestion activity works before it hands back its cursor"
    )
    partial_share: float = Field(
        default=0.7,
        gt=0,
        le=1,
        description="share of partitions that must succeed for a partial consolidation to start by itself",
    )
    partial_wait_seconds: int = Field(
        default=300,
        ge=0,
        le=86_400,
        description="seconds a partial consolidation waits for failed partitions to be retried",
    )
    watermark_overlap_seconds: int = Field(
        default=900, ge=0, description="seconds the next update window reaches back before this run's start"
    )


def settings() -> DiamondSettings:
    """The workload's settings. Raises TerminalError as `read_settings`."""
    return read_settings(DiamondSettings)

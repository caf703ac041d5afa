"""What the steps of a fold are given and give back, as it stands in histories."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from shared.platform.models import LazyModel

BY_OPERATOR = "An operator asked for it."
BY_OTHERS = "Others have written to the Iceberg tables."
"""Why the base is made anew, or taken from the Iceberg tables."""


class _Wire(LazyModel):
    model_config = ConfigDict(frozen=True)


class FoldRequest(_Wire):
    """What is to be done besides folding the log.

    Attributes:
        sync: look whether others have written to the Iceberg tables.
        rebuild: take the base from the Iceberg tables whether others have written or not.
        tidy: rewrite the Iceberg tables without what is outdated, and forget old snapshots.
        accept_loss: an operator's word that a base may be made without what neither the tables nor the log hold.
    """

    sync: bool = False
    rebuild: bool = False
    tidy: bool = False
    accept_loss: bool = False


class Folded(_Wire):
    """The base after a fold, and which tables stand in Iceberg.

    `lsn` is None where the base has to be made anew, for the reason `rebuild`.
    """

    lsn: int | None
    records: int = 0
    rebuild: str | None = None
    tables: tuple[str, ...] = ()


class TableTask(_Wire):
    """One table, as of an LSN of the base, and of a snapshot of the Iceberg table where that matters."""

    table: str
    lsn: int
    snapshot: str | None = None


class TableState(_Wire):
    """How far an Iceberg table is.

    Attributes:
        lsn: it holds all that the log says up to here.
        foreign: how many snapshots others wrote since.
        snapshot: the id of the newest, as text, since JSON's numbers are too small for it.
    """

    table: str
    lsn: int = 0
    foreign: int = 0
    snapshot: str | None = None
    rows: int = 0
    files: int = 0


class SyncTask(_Wire):
    """The tables' newest snapshots, which the base is to be taken from."""

    tables: tuple[TableState, ...]
    reason: str
    accept_loss: bool = False


class Published(_Wire):
    """The LSN of the published files; None: they stay as they are."""

    lsn: int | None


class Difference(_Wire):
    """A row of an Iceberg table that was not taken as it stands there, and why."""

    table: str
    id: str
    reason: str


class Synced(_Wire):
    """What a full sync took in; `differences` are the first of all that there were."""

    lsn: int
    users: int
    shares: int
    differences: tuple[Difference, ...] = ()
    differences_count: int = 0


class CleanTask(_Wire):
    """The base is at `lsn`; the Iceberg tables hold all up to `kept`."""

    lsn: int
    kept: int


class Cleaned(_Wire):
    """How many groups of the log, and segments of earlier bases, were deleted."""

    groups: int
    segments: int


class FoldSummary(_Wire):
    """What a fold did.

    Attributes:
        behind: the Iceberg tables that could not be brought to its LSN, which the next one does.
        files: how many data files each Iceberg table has.
    """

    lsn: int
    records: int
    behind: tuple[str, ...] = ()
    synced: Synced | None = None
    published: bool = False
    cleaned: int = 0
    files: dict[str, int] = Field(default_factory=dict[str, int])

"""Which rows of an Iceberg table the base takes: of each id the newest, and no two that one key may have but once.

Ids and keys are compared as 64-bit hashes that are made with a secret of the process, so that a table of millions takes
some megabytes. That two of five million differ and have one hash happens once in a million fillings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.authcache.base.format.arrow import DROPPED, FIRST, LAST, LSN, keys_of
from shared.authcache.base.format.columns import columns
from shared.authcache.base.format.pyarrow import Columns, Values, compute, pa
from shared.authcache.base.writing import current_rows
from shared.authcache.tables import SHARES, USERS, Table

_SECOND: Mapping[str, str] = {
    USERS.name: "Its address is another user's.",
    SHARES.name: "It is shared with that address already.",
}
"""By table, what to say of a second row with a key that stands once."""
_EMPTY = "A value that is needed is missing, or the address is none."
_BEYOND = "A moment in it is beyond the years 1 to 9999."
_BOTH = "It was changed here as well; ours stays."
_DEFAULTS = {"is_active": True, "level": "read"}
"""What a row of somebody else's means that says nothing of a column that we need."""
_FOREIGN = np.iinfo(np.int64).max
"""The rank of a row without an LSN: somebody else wrote it after our last rewriting of the table."""

Mask = NDArray[np.bool_]


@dataclass(slots=True)
class Chosen:
    """The rows to take, by their place in the table, which were written by others, and why a row is not taken."""

    mask: Mask
    ids: NDArray[np.int64]
    foreign: Mask
    differences: dict[int, str] = field(default_factory=dict[int, str])


def choose(table: Table[Any], pieces: Iterable[Columns], own: Columns, owners: NDArray[np.int64] | None) -> Chosen:
    """Choose among all rows of a table but those that `ours` has in a newer form.

    `owners` are the hashes of the users that there are; of a share whose owner is none of them nothing is taken.
    """
    scanned = [_scan(table, piece, own.column("id").combine_chunks()) for piece in pieces]
    if not scanned:
        none = np.empty(0, np.int64)
        return Chosen(np.empty(0, np.bool_), none, np.empty(0, np.bool_))
    ids, ranks, keys, owner, fit = (np.concatenate(column) for column in zip(*scanned, strict=True))
    mask = _newest(ids, ranks) & (fit != _TAKEN) & (fit != _DROPPED)
    choice = Chosen(mask, ids, ranks == _FOREIGN)
    bad = {int(row): _BOTH for row in np.flatnonzero((fit == _TAKEN) & choice.foreign)}
    bad |= {int(row): _EMPTY for row in np.flatnonzero(mask & (fit == _UNFIT))}
    bad |= {int(row): _BEYOND for row in np.flatnonzero(mask & (fit == _FAR))}
    mask &= fit == _FIT
    if owners is not None:
        ownerless = mask & ~np.isin(owner, owners)
        bad |= {int(row): "Its owner is no user." for row in np.flatnonzero(ownerless)}
        mask &= ~ownerless
    if table.once is not None:
        held = hashed(keys_of(table, table.once, current_rows(own)))
        second = np.concatenate([_second(keys, ranks, mask), np.flatnonzero(mask & np.isin(keys, held))])
        bad |= {int(row): _SECOND[table.name] for row in second}
        mask[second] = False
    choice.differences = bad
    return choice


def needed(table: Table[Any]) -> list[str]:
    """The columns in which every row has a value."""
    return [column.name for column in columns(table) if not column.optional and column.name not in _DEFAULTS]


def judged(table: Table[Any]) -> list[str]:
    """The columns that decide whether a row can be taken."""
    return list(dict.fromkeys([*needed(table), *_moments(table)]))


def _moments(table: Table[Any]) -> list[str]:
    return [column.name for column in columns(table) if column.kind == "datetime"]


def completed(table: Table[Any], rows: Columns) -> Columns:
    """Others' rows with what they leave unsaid. Who was in the table before is known to own the address."""
    for name, value in _DEFAULTS.items():
        if name in rows.column_names:
            rows = rows.set_column(rows.column_names.index(name), name, compute.fill_null(rows.column(name), value))
    if table.name == USERS.name:
        foreign = compute.is_null(rows.column(LSN))
        verified = compute.coalesce(rows.column("verified_at"), rows.column("created_at"))
        at = rows.column_names.index("verified_at")
        rows = rows.set_column(at, "verified_at", compute.if_else(foreign, verified, rows.column("verified_at")))
    return rows


_FIT, _UNFIT, _FAR, _DROPPED, _TAKEN = range(5)


def _scan(table: Table[Any], rows: Columns, taken: Values) -> tuple[Any, ...]:
    lsn = rows.column(LSN)
    ranks = compute.fill_null(lsn, _FOREIGN).to_numpy()
    empty: Any = None
    for name in needed(table):
        null = compute.is_null(rows.column(name))
        empty = null if empty is None else compute.or_(empty, null)
    fit = np.where(empty.to_numpy(), _UNFIT, _FIT) if empty is not None else np.zeros(rows.num_rows, np.int64)
    for name in _moments(table):
        moments = rows.column(name)
        far = compute.or_(compute.less(moments, pa.scalar(FIRST)), compute.greater(moments, pa.scalar(LAST)))
        fit = np.where(compute.fill_null(far, False).to_numpy(), _FAR, fit)
    fit = np.where(rows.column(DROPPED).to_numpy(), _DROPPED, fit)
    fit = np.where(compute.is_in(rows.column("id"), value_set=taken).to_numpy(), _TAKEN, fit)
    keys = hashed(keys_of(table, table.once, rows)) if table.once else np.zeros(rows.num_rows, np.int64)
    owner = hashed(rows.column("owner")) if table.name == SHARES.name else np.zeros(rows.num_rows, np.int64)
    return hashed(rows.column("id")), ranks, keys, owner, fit


def hashed(values: Values) -> NDArray[np.int64]:
    """64 bits of each text, the same in this process alone."""
    return np.fromiter(map(hash, values.cast("binary").to_pylist()), np.int64, len(values))


def _newest(ids: NDArray[np.int64], ranks: NDArray[np.int64]) -> Mask:
    """Of each id the row with the highest rank; of several with the same, the last."""
    order = np.lexsort((np.arange(len(ids)), ranks, ids))
    last = np.ones(len(ids), np.bool_)
    last[:-1] = ids[order][1:] != ids[order][:-1]
    mask = np.zeros(len(ids), np.bool_)
    mask[order[last]] = True
    return mask


def _second(keys: NDArray[np.int64], ranks: NDArray[np.int64], mask: Mask) -> NDArray[np.int64]:
    """The rows whose key an older one has: ours are older than others', and of these the first in the table."""
    rows = np.flatnonzero(mask)
    order = rows[np.lexsort((rows, ranks[rows], keys[rows]))]
    same = keys[order][1:] == keys[order][:-1]
    return order[1:][same]

"""Reads an Iceberg table whole, in pieces and twice in the same order, so that memory does not grow with it. Blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pyiceberg.table import ALWAYS_TRUE
from pyiceberg.table import Table as IcebergTable

from shared.authcache.addresses import parse
from shared.authcache.base.format.pyarrow import Columns, compute, pa
from shared.authcache.iceberg.catalog import answering
from shared.authcache.iceberg.pyiceberg import arrow_scan
from shared.authcache.iceberg.tables import column_of, from_iceberg
from shared.authcache.tables import SHARES, USERS, Table
from shared.platform.errors import InvalidInput

ADDRESS_OF = {USERS.name: ("email", "address"), SHARES.name: ("shared_email", "viewer")}
"""By table, the column that holds an e-mail as it was written, and the one that holds its key."""
_PLAIN = r"^[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}$"
_PUNYCODE = "@xn--|\\.xn--"


def rows_of(
    iceberg: IcebergTable, table: Table[Any], snapshot: int | None, columns: Sequence[str]
) -> Iterator[Columns]:
    """The rows of that snapshot in our columns, with addresses where these are missing.

    Of our columns only those named are read; the others are empty. The next piece is read while the caller works.

    Raises:
        TransientError: the catalog's storage does not answer.
    """
    if snapshot is None:
        return
    pieces = _pieces(iceberg, table, snapshot, columns)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = pool.submit(next, pieces, None)
            yield piece


def _pieces(iceberg: IcebergTable, table: Table[Any], snapshot: int, columns: Sequence[str]) -> Iterator[Columns]:
    present = set(iceberg.schema().column_names)
    names = [name for name in (column_of(table, one) for one in columns) if name in present]
    scan = iceberg.scan(snapshot_id=snapshot, selected_fields=tuple(names))
    with answering():
        tasks = sorted(scan.plan_files(), key=lambda task: task.file.file_path)
        reader = arrow_scan(iceberg.metadata, iceberg.io, scan.projection(), ALWAYS_TRUE)
        for task in tasks:
            for batch in reader.to_record_batches([task]):
                yield with_addresses(table, from_iceberg(table, pa.Table.from_batches([batch])))


def with_addresses(table: Table[Any], rows: Columns) -> Columns:
    """The rows, with the key of each address that has none; it stays empty where what stands there is no address."""
    if table.name not in ADDRESS_OF:
        return rows
    written, key = ADDRESS_OF[table.name]
    missing = compute.is_null(rows.column(key))
    if not compute.any(missing).as_py():
        return rows
    texts = rows.column(written)
    punycode = compute.match_substring_regex(texts, _PUNYCODE, ignore_case=True)
    plain = compute.and_(compute.match_substring_regex(texts, _PLAIN), compute.invert(punycode))
    keys = compute.if_else(plain, compute.utf8_lower(texts), None)
    unusual = compute.and_(missing, compute.invert(compute.fill_null(plain, False)))
    if compute.any(unusual).as_py():
        parsed = [_key(text) if odd else None for text, odd in zip(texts.to_pylist(), unusual.to_pylist(), strict=True)]
        keys = compute.coalesce(keys, pa.array(parsed, pa.string()))
    return rows.set_column(rows.column_names.index(key), key, compute.coalesce(rows.column(key), keys))


def _key(text: str | None) -> str | None:
    try:
        return parse(text).key if text else None
    except InvalidInput:
        return None

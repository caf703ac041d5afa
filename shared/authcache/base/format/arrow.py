"""Rows as Arrow columns, and columns as the rows' texts. Loads pyarrow: nothing that answers requests imports this."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from shared.authcache.base.format.columns import ESCAPE, ESCAPED, FIELD, NONE, Column, columns
from shared.authcache.base.format.pyarrow import Columns, Schema, Values, compute, pa
from shared.authcache.log.groups import Lsn
from shared.authcache.tables import SEPARATOR, Row, Table

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
LSN = "_lsn"
DROPPED = "_dropped"
_SPECIAL = f"[{NONE}{ESCAPE}{FIELD}]"
_DECIMAL = (18, 4)
_TYPES: dict[str, Schema] = {
    "str": pa.string(),
    "int": pa.int64(),
    "bool": pa.bool_(),
    "datetime": pa.timestamp("us", "UTC"),
}


_NAIVE: Schema = pa.timestamp("us")


def schema_of(table: Table[Any]) -> Schema:
    """The table's columns, then the LSN that a row is of and whether it says that the row is no more."""
    fields = [pa.field(one.name, type_of(table, one), nullable=one.name != "id") for one in columns(table)]
    return pa.schema([*fields, pa.field(LSN, pa.int64()), pa.field(DROPPED, pa.bool_())])


def type_of(table: Table[Any], column: Column) -> Schema:
    """The Arrow type of a column."""
    if column.kind == "Decimal":
        return pa.decimal128(*table.decimals.get(column.name, _DECIMAL))
    return _TYPES[column.kind]


def table_of(table: Table[Any], rows: Iterable[tuple[str, Row | None, Lsn]]) -> Columns:
    """Rows by id, None for those that are no more, each with its LSN; as columns."""
    schema = schema_of(table)
    values: dict[str, list[Any]] = {name: [] for name in schema.names}
    for row_id, row, lsn in rows:
        for column in columns(table):
            value = None if row is None else getattr(row, column.name)
            values[column.name].append(_in_utc(value) if column.kind == "datetime" and value else value)
        values["id"][-1] = row_id
        values[LSN].append(lsn)
        values[DROPPED].append(row is None)
    return pa.table({field.name: pa.array(values[field.name], field.type) for field in schema}, schema=schema)


def _in_utc(moment: datetime) -> datetime:
    """The moment as UTC has it, or its first or last one where it has no such year: no row's reader knows another."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return FIRST if moment.year == 1 else LAST


def texts_of(table: Table[Any], rows: Columns) -> Values:
    """The texts of rows that are there, as `columns.reader_of` reads them."""
    parts = [_text_of(column, rows.column(column.name)) for column in columns(table)]
    return compute.binary_join_element_wise(*parts, FIELD)


def keys_of(table: Table[Any], index: str, rows: Columns) -> Values:
    """The keys of rows that are there, in that index."""
    fields = [rows.column(name) for name in table.indexes[index]]
    return fields[0] if len(fields) == 1 else compute.binary_join_element_wise(*fields, SEPARATOR)


def without(rows: Columns, ids: Values) -> Columns:
    """The rows whose id is not among these."""
    return rows.filter(compute.invert(compute.is_in(rows.column("id"), value_set=ids)))


def _text_of(column: Column, values: Values) -> Values:
    if column.kind == "str":
        text = values
        if compute.any(compute.match_substring_regex(text, _SPECIAL)).as_py():
            for character, stands_for_it in ESCAPED:
                text = compute.replace_substring(text, character, stands_for_it)
    elif column.kind == "bool":
        text = compute.if_else(values, "1", "0")
    elif column.kind == "datetime":
        # Of an instant without a time zone the text is made thirty times as fast.
        text = compute.binary_join_element_wise(values.cast(_NAIVE).cast(pa.string()), "Z", "")
    else:
        text = values.cast(pa.string())
    return compute.fill_null(text, NONE) if column.optional or values.null_count else text

"""The Iceberg tables as the rest of the world knows them, and our rows in their columns.

Between two compactions a table holds several rows of one id: of these the one with the highest `_lsn` is right, and
`_dropped` says that it is no more. A row without `_lsn` was written by somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.table import Table as IcebergTable

from shared.authcache.base.format.arrow import DROPPED, LSN, schema_of
from shared.authcache.base.format.pyarrow import Columns, Schema, compute, pa
from shared.authcache.iceberg.catalog import answering
from shared.authcache.iceberg.pyiceberg import arrow_schema
from shared.authcache.settings import settings
from shared.authcache.tables import TABLES, Table

_NAMES: Mapping[str, str] = {"shares": "user_shares"}
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "shares": {"owner": "user_id"},
    "properties": {"owner": "user_id"},
    "documents": {"owner": "user_id"},
}
# Who finds that somebody else committed first has to look at what they wrote, so pyiceberg must not try again itself.
_PROPERTIES = {
    "commit.retry.num-retries": "0",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "20",
}

KEPT_IN_ICEBERG: Mapping[str, Table[Any]] = {name: table for name, table in TABLES.items() if table.in_iceberg}


def name_of(table: Table[Any]) -> str:
    """The table's name in its namespace."""
    return _NAMES.get(table.name, table.name)


def column_of(table: Table[Any], column: str) -> str:
    """The name of our column in the Iceberg table."""
    return _COLUMNS.get(table.name, {}).get(column, column)


def existing(catalog: Catalog, table: Table[Any]) -> IcebergTable | None:
    """The Iceberg table as it is now; None: there is none. Raises TransientError."""
    with answering():
        try:
            return catalog.load_table((settings().authcache_namespace, name_of(table)))
        except NoSuchTableError:
            return None


def prepared(catalog: Catalog, table: Table[Any]) -> IcebergTable:
    """The Iceberg table with all our columns; it is made, or given those that it lacks. Raises TransientError."""
    schema = _renamed(table, pa.schema([field.with_nullable(True) for field in schema_of(table)]))
    iceberg = existing(catalog, table)
    with answering():
        if iceberg is None:
            catalog.create_namespace_if_not_exists(settings().authcache_namespace)
            identifier = (settings().authcache_namespace, name_of(table))
            return catalog.create_table_if_not_exists(identifier, schema=schema, properties=_PROPERTIES)
        if missing := [field for field in schema if field.name not in iceberg.schema().column_names]:
            with iceberg.update_schema() as update:
                update.union_by_name(pa.schema(missing))
        if any(iceberg.properties.get(name) != value for name, value in _PROPERTIES.items()):
            with iceberg.transaction() as transaction:
                transaction.set_properties(_PROPERTIES)
    return iceberg


def to_iceberg(table: Table[Any], rows: Columns, iceberg: IcebergTable) -> Columns:
    """Our rows with the Iceberg table's columns and types; what it needs and a dropped row lacks is filled in."""
    renamed = rows.rename_columns([column_of(table, name) for name in rows.column_names])
    schema = arrow_schema(iceberg.schema(), include_field_ids=False)
    return pa.table([_fitted(renamed, field) for field in schema], schema=schema)


def from_iceberg(table: Table[Any], rows: Columns) -> Columns:
    """Rows of the Iceberg table in our columns and types; those that it does not have yet are empty."""
    columns: list[Any] = []
    for field in schema_of(table):
        name = column_of(table, field.name)
        if name in rows.column_names:
            columns.append(rows.column(name).cast(field.type))
        else:
            columns.append(pa.nulls(rows.num_rows, field.type))
    table_rows = pa.table(columns, names=schema_of(table).names)
    dropped = compute.fill_null(table_rows.column(DROPPED), False)
    return table_rows.set_column(table_rows.column_names.index(DROPPED), DROPPED, dropped)


def _renamed(table: Table[Any], schema: Schema) -> Schema:
    return pa.schema([field.with_name(column_of(table, field.name)) for field in schema])


def _fitted(rows: Columns, field: Schema) -> Any:
    if field.name not in rows.column_names:
        return pa.nulls(rows.num_rows, field.type)
    values = rows.column(field.name).cast(field.type)
    if not field.nullable and values.null_count:
        is_text = pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        return compute.fill_null(values, pa.scalar("" if is_text else 0).cast(field.type))
    return values


__all__ = [
    "DROPPED",
    "KEPT_IN_ICEBERG",
    "LSN",
    "column_of",
    "existing",
    "from_iceberg",
    "name_of",
    "prepared",
    "to_iceberg",
]

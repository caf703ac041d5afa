"""Our rows in the columns of the Iceberg tables, and others' rows in ours."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from pyiceberg.schema import Schema
from pyiceberg.table import Table as IcebergTable
from pyiceberg.types import BooleanType, LongType, NestedField, StringType

from shared.authcache.base.format.arrow import table_of
from shared.authcache.base.format.pyarrow import pa
from shared.authcache.iceberg.tables import (
    DROPPED,
    KEPT_IN_ICEBERG,
    LSN,
    column_of,
    from_iceberg,
    name_of,
    to_iceberg,
)
from shared.authcache.tables import FAMILIES, SHARES, USERS
from tests.unit.shared.authcache.rows import share


def iceberg(*fields: NestedField) -> IcebergTable:
    return cast("IcebergTable", SimpleNamespace(schema=lambda: Schema(*fields)))


def test_tables_and_columns_have_the_names_that_the_others_know() -> None:
    assert (name_of(USERS), name_of(SHARES)) == ("users", "user_shares")
    assert (column_of(SHARES, "owner"), column_of(SHARES, "viewer")) == ("user_id", "viewer")
    assert FAMILIES.name not in KEPT_IN_ICEBERG


def test_a_row_gets_the_tables_columns_and_what_it_lacks_and_must_have() -> None:
    table = iceberg(
        NestedField(1, "id", StringType(), required=True),
        NestedField(2, "user_id", StringType(), required=True),
        NestedField(3, "level", StringType()),
        NestedField(4, "added_by_others", LongType()),
        NestedField(5, LSN, LongType()),
        NestedField(6, DROPPED, BooleanType()),
    )
    rows = to_iceberg(SHARES, table_of(SHARES, [("s1", share("s1", "ann", "b"), 3), ("s2", None, 4)]), table)
    assert rows.to_pylist() == [
        {"id": "s1", "user_id": "ann", "level": "read", "added_by_others": None, LSN: 3, DROPPED: False},
        {"id": "s2", "user_id": "", "level": None, "added_by_others": None, LSN: 4, DROPPED: True},
    ]


def test_a_row_of_others_has_no_lsn_and_is_there() -> None:
    written: Any = pa.table({"id": ["s1"], "user_id": ["ann"], "unknown": [1]})
    [row] = from_iceberg(SHARES, written).to_pylist()
    assert (row["id"], row["owner"], row["viewer"], row[LSN], row[DROPPED]) == ("s1", "ann", None, None, False)
    assert "unknown" not in row

"""The keys of rows, and the tables that all else is made of."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from shared.authcache.tables import SEPARATOR, SHARES, TABLES, USERS, Table
from tests.unit.shared.authcache.rows import share, user


def test_a_key_of_one_field_is_its_value_and_one_of_several_is_told_from_any_other_pair() -> None:
    assert USERS.key("address", user("ann", "ann@example.com")) == "ann@example.com"
    assert SHARES.key("pair", share("s", "ann", "bob")) == f"ann{SEPARATOR}bob"
    assert SHARES.key("pair", share("s", "an", "nbob")) != SHARES.key("pair", share("s", "ann", "bob"))


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_what_a_table_names_are_fields_of_its_rows(table: Table[Any]) -> None:
    names = {field.name for field in fields(table.row)}
    assert "id" in names
    assert names >= {field for index in table.indexes.values() for field in index}
    assert names >= {*table.decimals, *([table.expires] if table.expires else [])}
    assert table.once is None or table.once in table.indexes

"""Which columns a table has, and how a row is read from its text."""

from __future__ import annotations

import pytest

from shared.authcache.base.format.columns import FIELD, NONE, Column, columns, reader_of
from shared.authcache.tables import SHARES, TABLES, USERS
from tests.unit.shared.authcache.rows import AT, share


def test_the_id_comes_first_and_each_column_has_the_kind_of_its_field() -> None:
    assert all(columns(table)[0] == Column("id", "str", optional=False) for table in TABLES.values())
    kinds = {column.name: (column.kind, column.optional) for column in columns(USERS)}
    assert kinds["tax_rate"] == ("Decimal", True)
    assert kinds["is_active"] == ("bool", False)
    assert kinds["verified_at"] == ("datetime", True)


def test_a_text_is_read_as_the_row_and_an_id_alone_says_that_it_is_no_more() -> None:
    at = AT.isoformat()
    texts = {"id": "s", "owner": "ann", "shared_email": "b", "viewer": "b", "level": "read", "expires_at": NONE}
    text = FIELD.join(texts.get(column.name, at) for column in columns(SHARES)).encode()
    assert reader_of(SHARES)(text) == share("s", "ann", "b")
    assert reader_of(SHARES)(b"s") is None


@pytest.mark.parametrize("text", [f"s{FIELD}ann", FIELD.join("x" * 9), FIELD.join(["s"] * 8)])
def test_a_text_of_another_table_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"fields in place of|Invalid isoformat"):
        reader_of(SHARES)(text.encode())

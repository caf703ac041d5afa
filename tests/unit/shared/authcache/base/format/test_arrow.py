"""Rows become columns, columns the rows' texts, and these the same rows, whatever stands in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.authcache.base.format.arrow import DROPPED, LSN, keys_of, table_of, texts_of, without
from shared.authcache.base.format.columns import reader_of
from shared.authcache.base.format.pyarrow import pa
from shared.authcache.models import Property, User
from shared.authcache.tables import PROPERTIES, SEPARATOR, SHARES, USERS, Table
from tests.unit.shared.authcache.rows import owned_property, share, user

texts = st.text(st.sampled_from("a\x00\x1b\x1f012 é😀"), max_size=8)
moments = st.datetimes(timezones=st.just(UTC))
users = st.builds(
    user,
    st.just("u"),
    address=texts,
    first_name=texts,
    tax_rate=st.none() | st.decimals(0, 999, places=2),
    created_at=moments,
    verified_at=st.none() | moments,
    is_active=st.booleans(),
)
properties = st.builds(
    owned_property,
    st.just("p"),
    texts,
    notes=texts,
    purchase_date=st.none() | st.just("2026-11-30"),
    market_value=st.none() | st.decimals(0, 10**11, places=2),
)


def read_back(table: Table[Any], row: Any) -> Any:
    [text] = texts_of(table, table_of(table, [(row.id, row, 1)])).to_pylist()
    return reader_of(table)(text.encode())


@given(users)
def test_a_user_is_read_as_written(row: User) -> None:
    assert read_back(USERS, row) == row


@given(properties)
def test_a_property_is_read_as_written(row: Property) -> None:
    assert read_back(PROPERTIES, row) == row


def test_a_time_is_kept_in_utc_and_one_beyond_its_years_as_its_first_or_last() -> None:
    east = timezone(timedelta(hours=5))
    first, last = datetime(1, 1, 1, 2, tzinfo=east), datetime.max.replace(tzinfo=timezone(-timedelta(hours=5)))
    for written, kept in (
        (datetime(2026, 1, 1, 5, tzinfo=east), datetime(2026, 1, 1, tzinfo=UTC)),
        (first, datetime.min.replace(tzinfo=UTC)),
        (last, datetime.max.replace(tzinfo=UTC)),
    ):
        assert read_back(USERS, user("u", created_at=written)).created_at == kept


def test_a_row_that_is_no_more_has_its_id_and_lsn() -> None:
    rows = table_of(SHARES, [("s1", share("s1", "ann", "b"), 3), ("s2", None, 4)])
    assert rows.column("id").to_pylist() == ["s1", "s2"]
    assert rows.column(LSN).to_pylist() == [3, 4]
    assert rows.column(DROPPED).to_pylist() == [False, True]
    assert rows.column("owner").to_pylist() == ["ann", None]
    assert without(rows, pa.array(["s2"])).column("id").to_pylist() == ["s1"]


def test_the_keys_are_those_that_the_table_finds_its_rows_by() -> None:
    held = [share("s1", "ann", "b"), share("s2", "bob", "c")]
    rows = table_of(SHARES, [(one.id, one, 1) for one in held])
    for index in SHARES.indexes:
        assert keys_of(SHARES, index, rows).to_pylist() == [SHARES.key(index, one) for one in held]
    assert keys_of(SHARES, "pair", rows).to_pylist()[0] == f"ann{SEPARATOR}b"

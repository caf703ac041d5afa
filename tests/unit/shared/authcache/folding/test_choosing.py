"""Which rows of others the base takes: none that its own reader could not read back."""

from datetime import UTC, datetime

import pytest

from shared.authcache.base.format.arrow import FIRST, LAST, schema_of, texts_of
from shared.authcache.base.format.columns import reader_of
from shared.authcache.base.format.pyarrow import pa
from shared.authcache.folding.choosing import choose
from shared.authcache.tables import USERS
from tests.present import present

NOW = datetime(2026, 11, 30, tzinfo=UTC)
YEAR_14645 = 400_000_000_000_000_000
"""In microseconds since 1970."""


def rows_with(at):
    """One user of somebody else's, of whom one moment is that."""
    schema = schema_of(USERS)
    row = dict.fromkeys(schema.names) | {
        "id": "a", "email": "ann@example.com", "address": "ann@example.com", "first_name": "Ann", "last_name": "Lee",
        "password_hash": "x", "is_active": True, "created_at": NOW, "updated_at": at, "_dropped": False,
    }  # fmt: skip
    return pa.table({field.name: pa.array([row[field.name]], field.type) for field in schema}, schema=schema)


@pytest.mark.parametrize("at", [FIRST, NOW, LAST])
def test_a_moment_of_a_year_that_there_is_is_taken_and_read_back(at):
    rows = rows_with(at)
    assert choose(USERS, [rows], schema_of(USERS).empty_table(), None).mask.tolist() == [True]
    [text] = texts_of(USERS, rows).to_pylist()
    assert present(reader_of(USERS)(text.encode())).updated_at == at


@pytest.mark.parametrize("at", [YEAR_14645, -YEAR_14645])
def test_a_moment_beyond_all_years_is_named_and_not_taken(at):
    chosen = choose(USERS, [rows_with(at)], schema_of(USERS).empty_table(), None)
    assert chosen.mask.tolist() == [False]
    assert "beyond the years" in chosen.differences[0]

"""What a block with a connection leaves behind, and which errors are tried again."""

import asyncio

import psycopg
import pytest
from psycopg import conninfo

from shared.platform.errors import TransientError
from shared.platform.stores.postgres import (
    DataRefused,
    close_pools,
    connection_to,
    database,
    each_statement_commits,
    rows,
    rows_of_each,
)
from tests.fresh_settings import forget_settings

pytestmark = pytest.mark.usefixtures("migrated")


@pytest.fixture
async def things():
    async with database() as connection:
        await connection.execute("create table things (number int primary key, name varchar(3))")


async def numbers() -> list[int]:
    async with database() as connection:
        return [row["number"] for row in await rows(connection, "select number from things order by 1")]


async def test_a_block_commits_where_it_ends_and_rolls_back_where_it_raises(things):
    async with database() as connection:
        await connection.execute("insert into things values (1, 'one')")

    async def fail() -> None:
        async with database() as connection:
            await connection.execute("insert into things values (2, 'two')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await numbers() == [1]


async def test_a_value_that_cannot_be_stored_is_refused_and_nothing_is_stored(things):
    async def insert() -> None:
        async with database() as connection:
            await connection.execute("insert into things values (1, 'one')")
            await connection.execute("insert into things values (2, 'too long')")

    with pytest.raises(DataRefused, match="value too long for type character varying") as refused:
        await insert()
    assert refused.value.code == "data-refused"
    assert await numbers() == []


async def test_a_connection_that_breaks_is_tried_again_and_another_serves_the_next(things):
    with pytest.raises(TransientError) as broken:
        async with database() as connection:
            await rows(connection, "select pg_terminate_backend(pg_backend_pid())")
    assert broken.value.code == "postgres-unavailable"
    assert await numbers() == []


async def test_of_two_transactions_that_lock_each_other_one_is_tried_again(things):
    async with database() as connection:
        await connection.execute("insert into things values (1), (2)")
    both = asyncio.Barrier(2)

    async def update(first: int, second: int) -> None:
        async with database() as connection:
            await connection.execute("update things set name = 'x' where number = %s", (first,))
            await both.wait()
            await connection.execute("update things set name = 'x' where number = %s", (second,))

    found = await asyncio.gather(update(1, 2), update(2, 1), return_exceptions=True)
    assert sorted(type(one).__name__ for one in found) == ["NoneType", "TransientError"]


async def test_each_statement_may_be_a_transaction_of_its_own_until_the_block_ends(things):
    async def insert() -> None:
        async with database() as connection:
            async with each_statement_commits(connection):
                await connection.execute("insert into things values (1)")
            await connection.execute("insert into things values (2)")
            await connection.execute("insert into things values (2)")

    with pytest.raises(psycopg.errors.UniqueViolation):
        await insert()
    assert await numbers() == [1]


async def test_the_rows_of_many_parameters_come_in_their_order(things):
    async with database() as connection:
        found = await rows_of_each(connection, "select %(n)s::int as n", [{"n": 3}, {"n": 1}, {"n": 2}])
        assert [row["n"] for row in found] == [3, 1, 2]
        assert await rows_of_each(connection, "select 1", []) == []


async def test_a_database_that_is_not_there_and_a_server_that_is_away_are_named(migrated, monkeypatch):
    with pytest.raises(TransientError, match="in the database nowhere") as refused:
        async with connection_to("nowhere"):
            pass
    assert refused.value.code == "postgres-unavailable"
    monkeypatch.setenv("POSTGRES_DSN", conninfo.make_conninfo(migrated, host="127.0.0.1", port="9"))
    forget_settings()
    await close_pools()
    with pytest.raises(TransientError):
        async with connection_to("postgres"):
            pass

"""Tables are found whatever their names are."""

from orchestrators.backups.backing_up import back_up
from shared.backups.blobs.manifests import read_verdict
from shared.backups.models import TakeAndVerify
from shared.platform.stores.postgres import connection_to, rows
from tests.integration.player import Player
from tests.integration.shared.backups.conftest import execute, restore
from tests.present import present

BACKUP = "20261101T000100Z"


async def test_a_table_of_any_name_comes_back_with_its_rows(filled, migrated, empty):
    await execute(
        'create schema "a.b"; create table "a.b".c (n int); create schema a; create table a."b.c" (n int)',
        'create table a."odd/na.me %s {x} ""quoted"" Ünder" ("a/b ""%s""" int, "select" text)',
        'insert into "a.b".c values (1); insert into a."b.c" values (2), (3)',
        'insert into a."odd/na.me %s {x} ""quoted"" Ünder" select n, n::text from generate_series(1, 5) n',
    )
    outcome = await Player().play(back_up, TakeAndVerify(id=BACKUP, chain="20261101T000000Z", verify=True))
    assert (present(await read_verdict(BACKUP)).differences, outcome.verified) == ([], True)
    done = restore(migrated, empty)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    async with connection_to(empty) as connection:
        for table, expected in (('"a.b".c', 1), ('a."b.c"', 2), ('a."odd/na.me %%s {x} ""quoted"" Ünder"', 5)):
            assert await rows(connection, f"select count(*) from {table}") == [{"count": expected}]

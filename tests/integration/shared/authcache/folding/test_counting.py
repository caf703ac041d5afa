"""What a fold counts, it counts exactly, from what has changed."""

from shared.authcache.base.manifest import read_manifest
from shared.authcache.folding.exporting import look_at_table
from shared.authcache.folding.filling import fill_cache
from shared.authcache.folding.folding import fold_log
from shared.authcache.folding.steps import SyncTask, TableTask
from shared.authcache.log.users import PasswordChanged, UserDeleted
from shared.platform.access.passwords.kinds import CURRENT, Cost, never_matching
from tests.integration.shared.authcache.conftest import now, registered

OLD = Cost("bcrypt", (12,))


async def costs():
    folded = await fold_log()
    if folded.lsn is None:  # the first base is made from the tables in Iceberg, which are empty
        tables = [await look_at_table(TableTask(table=name, lsn=0)) for name in folded.tables]
        await fill_cache(SyncTask(tables=tuple(tables), reason="There is none yet."))
        await fold_log()
    found = await read_manifest()
    assert found is not None
    return {Cost.of(text): number for text, number in found[0].counts.costs.items()}


async def test_users_are_counted_by_what_their_passwords_cost(instances):
    store = instances()
    hashes = [OLD] * 6 + [CURRENT] * 3
    users = [
        registered(f"u{number}@example.com", password_hash=never_matching(cost)) for number, cost in enumerate(hashes)
    ]
    users.append(registered("none@example.com", password_hash=""))
    await store.commit(users)
    assert await costs() == {OLD: 6, CURRENT: 4}
    current = never_matching(CURRENT)
    await store.commit(
        [
            *(
                PasswordChanged(at=now(), user=user.id, password_hash=current, ends_sessions=False)
                for user in users[:2]
            ),
            UserDeleted(at=now(), user=users[2].id),
            registered("new@example.com", password_hash=current),
        ]
    )
    assert await costs() == {OLD: 3, CURRENT: 7}
    await store.commit([UserDeleted(at=now(), user=user.id) for user in users[:6]])
    assert await costs() == {CURRENT: 5}

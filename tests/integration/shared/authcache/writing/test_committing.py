"""Registrations that race each other, and answers that are lost."""

import asyncio
from time import monotonic

import pytest
from azure.core import AsyncPipelineClient
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline import AsyncPipeline

from shared.authcache.accounts.sharing import share_is_new
from shared.authcache.log import groups
from shared.authcache.log.groups import read_group
from shared.authcache.log.records import Record
from shared.authcache.log.shares import ShareRevoked
from shared.authcache.log.users import PasswordChanged, UserDeleted, UserVerified
from shared.authcache.reading import instance as reading
from shared.authcache.writing import committing
from shared.authcache.writing.uniqueness import address_is_free
from shared.platform.errors import Conflict, TransientError
from tests.fresh_settings import forget_settings
from tests.integration.shared.authcache.conftest import granted, now, registered


async def register(store, address):
    record = registered(address)
    lsn = await store.commit([record], check=address_is_free(address))
    return record, lsn


async def test_eight_writers_on_two_instances_register_two_hundred_users(instances):
    hosts = [instances(), instances()]

    async def writer(number):
        host = hosts[number % 2]
        for count in range(25):
            address = f"user{number}-{count}@example.com"
            record, lsn = await register(host, address)
            seen = await (await host.view(lsn)).user_by_address(address)
            assert seen is not None
            assert seen.id == record.id

    await asyncio.gather(*(writer(number) for number in range(8)))
    views = [await host.view(max(one.instance.now().lsn for one in hosts)) for host in hosts]
    for view in views:
        found = [await view.user_by_address(f"user{n}-{c}@example.com") for n in range(8) for c in range(25)]
        assert len({user.id for user in found if user}) == 200


async def test_one_address_is_taken_once_however_many_ask_for_it(instances):
    hosts = [instances() for _ in range(3)]
    answers = await asyncio.gather(
        *(register(host, "ann@example.com") for host in hosts for _ in range(5)), return_exceptions=True
    )
    taken = [one for one in answers if isinstance(one, Conflict)]
    assert len(taken) == 14
    assert {one.code for one in taken} == {"address-taken"}
    users = [await (await host.view(await last(hosts))).user_by_address("ann@example.com") for host in hosts]
    assert len({user.id for user in users}) == 1


async def last(hosts):
    for host in hosts:
        await host.instance.refresh()
    return hosts[0].instance.now().lsn


async def test_a_share_stands_once(instances):
    here, there = instances(), instances()
    owner, _ = await register(here, "ann@example.com")
    shares = [granted(owner.id, "bob@example.com") for _ in range(2)]
    records: list[list[Record]] = [[share] for share in shares]
    answers = await asyncio.gather(
        here.commit(records[0], check=share_is_new(shares[0], records[0])),
        there.commit(records[1], check=share_is_new(shares[1], records[1])),
        return_exceptions=True,
    )
    assert [type(one) for one in answers if not isinstance(one, int)] == [Conflict]
    view = await here.view(await last([here, there]))
    assert len(await view.shared_by(owner.id)) == len(await view.shared_with("bob@example.com")) == 1


async def test_an_address_that_somebody_else_freed_can_be_taken_at_once(instances):
    here, there = instances(), instances()
    owner, lsn = await register(here, "ann@example.com")
    await there.view(lsn)
    await here.commit([UserDeleted(at=now(), user=owner.id)])
    record, lsn = await register(there, "ann@example.com")
    assert (await (await here.view(lsn)).user_by_address("ann@example.com")).id == record.id


async def test_a_revoked_share_is_denied_to_who_brings_the_lsn(instances):
    here, there = instances(), instances()
    owner, _ = await register(here, "ann@example.com")
    share = granted(owner.id, "bob@example.com")
    lsn = await here.commit([share])
    assert await (await there.view(lsn)).share(owner.id, "bob@example.com") is not None
    lsn = await here.commit([ShareRevoked(at=now(), id=share.id)])
    assert await (await there.view(lsn)).share(owner.id, "bob@example.com") is None


async def test_deleting_a_user_takes_what_they_share(instances):
    store = instances()
    owner, _ = await register(store, "ann@example.com")
    await store.commit([granted(owner.id, "bob@example.com")])
    view = await store.view(await store.commit([UserDeleted(at=now(), user=owner.id)]))
    assert await view.user_by_id(owner.id) is None
    assert await view.shared_with("bob@example.com") == []
    # Nor does a share that was on its way.
    view = await store.view(await store.commit([granted(owner.id, "bob@example.com")]))
    assert await view.shared_with("bob@example.com") == []


async def test_a_changed_password_ends_sessions_and_a_better_hash_does_not(instances):
    store = instances()
    user, _ = await register(store, "ann@example.com")
    await store.commit([PasswordChanged(at=now(), user=user.id, password_hash="better", ends_sessions=False)])
    assert (await (await store.view()).user_by_id(user.id)).sessions_from is None
    await store.commit([PasswordChanged(at=now(), user=user.id, password_hash="other")])
    found = await (await store.view()).user_by_id(user.id)
    assert found.password_hash == "other"
    assert found.sessions_from is not None
    await store.commit([UserVerified(at=now(), user=user.id, address="old@example.com")])
    assert (await (await store.view()).user_by_id(user.id)).verified_at == found.verified_at


async def test_a_group_whose_answer_was_lost_stands_once(instances, monkeypatch):
    """The storage keeps the blob and breaks the connection: it is written again, and found to be there."""
    store = instances()
    await register(store, "first@example.com")
    send, dropped = AsyncPipelineClient.send_request, []

    async def keeps_and_breaks(self, request, **options):
        answer = await send(self, request, **options)
        if request.method == "PUT" and not dropped:
            dropped.append(request.url)
            raise ServiceResponseError("The connection was closed.")
        return answer

    monkeypatch.setattr(AsyncPipelineClient, "send_request", keeps_and_breaks)
    record, lsn = await register(store, "ann@example.com")
    assert [f"log/{lsn:016d}?" in url for url in dropped] == [True]
    other = instances()
    view = await other.view(lsn)
    assert (await view.user_by_address("ann@example.com")).id == record.id
    assert await read_group(lsn + 1) is None


@pytest.mark.parametrize("taken", [False, True], ids=["free", "taken"])
async def test_a_write_upon_blobs_that_do_not_answer_is_refused_in_the_time_of_a_look(instances, monkeypatch, taken):
    """The storage swallows what it is sent: neither the write nor the look after it is answered."""
    monkeypatch.setenv("AUTHCACHE_REFRESH_SECONDS", "1")
    forget_settings()
    monkeypatch.setattr(reading, "LOOK_SECONDS", 0.5)
    store = instances()
    record, _ = await register(store, "ann@example.com")

    async def swallows(*_, **__):
        await asyncio.sleep(3600)

    for client in (AsyncPipelineClient, AsyncPipeline):
        monkeypatch.setattr(client, "send_request" if client is AsyncPipelineClient else "run", swallows)
    for _ in range(2):
        began = monotonic()
        first = asyncio.create_task(register(store, record.address if taken else "bob@example.com"))
        await asyncio.sleep(0.3)
        behind = asyncio.create_task(register(store, "cid@example.com"))
        async with asyncio.timeout(10):
            with pytest.raises(TransientError) as refused:
                await first
            assert refused.value.code == ("blobs" if taken else "commit-unknown")
            with pytest.raises(TransientError) as refused:
                await behind  # of which nothing was sent
            assert (refused.value.code, refused.value.retry_after) == ("blobs", 10)
        assert monotonic() - began < 2.5
        await asyncio.sleep(1.1)  # what is known is older than an instance likes by then


@pytest.mark.parametrize("waiting", [1, 40])
async def test_what_waits_is_written_together(instances, waiting):
    store = instances()
    await register(store, "first@example.com")
    lsns = await asyncio.gather(*(register(store, f"u{number}@example.com") for number in range(waiting)))
    assert len({lsn for _, lsn in lsns}) <= 2


async def test_defect_nobody_is_refused_for_a_write_that_never_stood(instances, monkeypatch):
    here, there = instances(), instances()
    free = address_is_free("ann@example.com")

    async def free_and_alone(view):
        await free(view)
        await address_is_free("bob@example.com")(view)

    async def somebody_else_is_faster(lsn, group):
        monkeypatch.undo()
        await there.commit([registered("bob@example.com")])
        return await groups.create_group(lsn, group)

    await here.view()
    monkeypatch.setattr(committing, "create_group", somebody_else_is_faster)
    first, second = await asyncio.gather(
        here.commit([registered("ann@example.com")], check=free_and_alone),
        here.commit([registered("ann@example.com")], check=free),
        return_exceptions=True,
    )
    assert isinstance(first, Conflict)
    assert second == 2
    assert await (await there.view(2)).user_by_address("ann@example.com")

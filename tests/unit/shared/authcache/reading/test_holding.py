"""What an instance holds: groups in their order alone, and on another base the log after it on top."""

from __future__ import annotations

from shared.authcache.base.manifest import Counts, Manifest, Segment
from shared.authcache.log.groups import Group, new_group
from shared.authcache.log.users import UserChanged, UserCreated
from shared.authcache.reading.holding import Holding
from tests.present import present
from tests.unit.shared.authcache.rows import AT


def created(user_id: str) -> UserCreated:
    email = f"{user_id}@example.com"
    return UserCreated(at=AT, id=user_id, email=email, address=email, first_name="A", last_name="B", password_hash="")


GROUPS: tuple[Group, ...] = (
    new_group("w", [created("ann"), created("bob")]),
    new_group("w", [UserChanged(at=AT, user="ann", last_name="Li")]),
    new_group("w", [created("cy")]),
)


async def held() -> Holding:
    holding = Holding()
    for lsn, group in enumerate(GROUPS, 1):
        assert await holding.extend(lsn, group)
    return holding


def manifest(lsn: int) -> Manifest:
    segment = Segment(name=f"base/{lsn}", after=0, lsn=lsn, tables={}, files=())
    return Manifest(lsn=lsn, hash_key="0" * 32, segments=(segment,), counts=Counts(), whole=Counts(), folded_at=AT)


async def test_each_group_is_laid_over_those_before_it() -> None:
    holding = await held()
    assert (holding.lsn, holding.records) == (3, 4)
    assert present(await holding.view().user_by_id("ann")).last_name == "Li"
    assert await holding.view().user_by_address("cy@example.com")


async def test_a_group_that_is_known_or_does_not_follow_changes_nothing() -> None:
    holding = await held()
    for lsn in (1, 3, 5):
        assert not await holding.extend(lsn, new_group("w", [created("dan")]))
    assert (holding.lsn, holding.records, await holding.view().user_by_id("dan")) == (3, 4, None)


async def test_on_another_base_only_the_groups_after_it_are_held_and_counted() -> None:
    holding = await held()
    await holding.install(manifest(2), ())
    assert (holding.lsn, holding.records) == (3, 1)
    assert await holding.view().user_by_id("ann") is None  # the base has her, which is empty here
    assert await holding.view().user_by_id("cy")


async def test_a_base_that_is_newer_than_the_known_log_is_where_the_log_goes_on() -> None:
    holding = await held()
    await holding.install(manifest(9), ())
    assert (holding.lsn, holding.records) == (9, 0)
    assert await holding.extend(10, new_group("w", [created("dan")]))


async def test_a_view_that_was_taken_before_stands_on_the_base_that_it_was_taken_of() -> None:
    holding = await held()
    view = holding.view()
    await holding.install(manifest(3), ())
    assert await view.user_by_id("cy")
    assert await holding.view().user_by_id("cy") is None

"""Look-ups in overlays that lie over one another and over levels of the base: the newest word on a row counts."""

from __future__ import annotations

from shared.authcache.log.records import Change, Drop, Put
from shared.authcache.reading.levels import Overlay
from shared.authcache.reading.view import View
from shared.authcache.tables import SHARES, USERS, R, Table
from tests.unit.shared.authcache.rows import share, user

ANN, BOB = user("ann"), user("bob")


def overlay(*changes: Change) -> Overlay:
    made = Overlay()
    made.apply(changes)
    return made


class Level:
    """A level of the base, of rows in memory."""

    def __init__(self, *changes: Change) -> None:
        self._rows = overlay(*changes)

    async def get(self, table: Table[R], row_id: str) -> tuple[bool, R | None]:
        return self._rows.get(table, row_id)

    async def find(self, table: Table[R], index: str, key: str) -> list[R]:
        return self._rows.find(table, index, key)


async def test_a_row_is_the_one_of_the_newest_that_knows_it() -> None:
    moved, again = user("ann", "new@example.com"), user("ann", "newest@example.com")
    view = View(1, (overlay(Put(USERS, again)), overlay(Put(USERS, moved))), (Level(Put(USERS, ANN)),))
    assert await view.user_by_id("ann") == again
    for address, expected in ((ANN.address, None), (moved.address, None), (again.address, again)):
        assert await view.user_by_address(address) == expected


async def test_a_row_that_was_dropped_is_found_by_no_key_below() -> None:
    dropped = Drop(USERS, "ann")
    for view in (
        View(1, (overlay(dropped),), (Level(Put(USERS, ANN)),)),
        View(1, (overlay(),), (Level(dropped), Level(Put(USERS, ANN)))),
        View(1, (overlay(dropped), overlay(Put(USERS, ANN))), ()),
    ):
        assert await view.user_by_id("ann") is None
        assert await view.user_by_address(ANN.address) is None


async def test_rows_of_one_key_come_from_everywhere_each_once_and_as_they_are_now() -> None:
    old, kept, new = share("s1", "ann", "a"), share("s2", "ann", "b"), share("s3", "ann", "c")
    moved = share("s1", "ann", "a", level="edit")
    taken = share("s4", "bob", "a")
    base = (Level(Put(SHARES, kept)), Level(Put(SHARES, old), Put(SHARES, kept), Put(SHARES, share("s4", "ann", "a"))))
    view = View(1, (overlay(Put(SHARES, moved), Put(SHARES, taken)), overlay(Put(SHARES, new))), base)
    by_ann = {one.id: one for one in await view.shared_by("ann")}
    assert by_ann == {"s1": moved, "s2": kept, "s3": new}
    assert len(await view.shared_by("ann")) == 3
    assert await view.share("ann", "a") == moved
    assert await view.share("bob", "a") == taken
    assert {one.id for one in await view.shared_with("a")} == {"s1", "s4"}


async def test_a_draft_lies_over_a_view_and_leaves_it_as_it_is() -> None:
    view = View(7, (overlay(),), (Level(Put(USERS, ANN)),))
    draft = view.under(overlay(Drop(USERS, "ann"), Put(USERS, BOB)))
    assert (await draft.user_by_id("ann"), await draft.user_by_address(BOB.address), draft.lsn) == (None, BOB, 7)
    assert (await view.user_by_id("ann"), await view.user_by_id("bob")) == (ANN, None)

"""Lists are gone over page by page, for one time box, and gone on with where it ended."""

from __future__ import annotations

from contextlib import aclosing

from shared.platform.stores.paging import each, for_each

PAGES = {None: ([1, 2], "b"), "b": ([], "c"), "c": ([3], "d"), "d": ([4], None)}


async def read(cursor: str | None) -> tuple[list[int], str | None]:
    return PAGES[cursor]


async def test_each_goes_on_to_the_last_page_and_reads_none_that_nobody_needs() -> None:
    assert [one async for one in each(read)] == [1, 2, 3, 4]
    asked: list[str | None] = []

    async def noted(cursor: str | None) -> tuple[list[int], str | None]:
        asked.append(cursor)
        return PAGES[cursor]

    async with aclosing(each(noted)) as found:
        async for one in found:
            if one == 2:
                break
    assert asked == [None]


async def test_every_page_is_used_to_the_last() -> None:
    used: list[int] = []

    async def use(one: int) -> None:
        used.append(one)

    assert await for_each(read, use) is None
    assert used == [1, 2, 3, 4]


async def test_a_time_box_ends_after_a_whole_page_and_says_where_to_go_on() -> None:
    used: list[int] = []

    async def use(one: int) -> None:
        used.append(one)

    cursors: list[str | None] = [None]
    while len(cursors) == 1 or cursors[-1] is not None:
        cursors.append(await for_each(read, use, cursor=cursors[-1], seconds=-1))
    assert cursors == [None, "b", "c", "d", None]
    assert used == [1, 2, 3, 4]

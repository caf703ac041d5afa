"""Going over all pages of a list, whole or for one time box."""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

T = TypeVar("T")


async def each(read: Callable[[str | None], Awaitable[tuple[Sequence[T], str | None]]]) -> AsyncGenerator[T]:
    """What is on the pages, one after the other. `read` is as for `for_each`, and reads a page when it is needed."""
    cursor = None
    while True:
        found, cursor = await read(cursor)
        for one in found:
            yield one
        if cursor is None:
            return


async def for_each(
    read: Callable[[str | None], Awaitable[tuple[Sequence[T], str | None]]],
    use: Callable[[T], Awaitable[None]],
    *,
    cursor: str | None = None,
    seconds: float = inf,
) -> str | None:
    """Use what is on the pages from `cursor` on; the cursor to go on from, None once the last page is done.

    `read` is given the cursor of a page, and gives what is on it with the cursor of the next. A page that was begun is
    used to its end, also when the time is up.
    """
    deadline = monotonic() + seconds
    while True:
        found, cursor = await read(cursor)
        for one in found:
            await use(one)
        if cursor is None or monotonic() > deadline:
            return cursor

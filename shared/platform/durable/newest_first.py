"""Orchestrations newest first, although the host lists them in the order of their ids.

The host can filter by the time of creation, so they are read window by window, back in time: a window that holds more
than can be sorted at once is narrowed, one that holds few is followed by a wider one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from shared.platform.errors import UnusableCursor
from shared.platform.stores.paging import each

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.platform.durable.client import DurableClient, Instance, RunState

BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
FIRST_WINDOW: Final = timedelta(hours=1)
SHORTEST_WINDOW: Final = timedelta(seconds=1)
"""The host tells times to the second."""
WIDER: Final = 6
NARROWER: Final = 8
PAGE: Final = 500
MOST_SORTED: Final = 5_000
"""Instances of one window; of a second in which more were created, all are read."""
MOST_READ: Final = 20_000
"""Instances that one answer looks at; a search that has found too few by then answers a short page."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a page ends: at an instance's time of creation and id."""

    created_at: datetime
    instance_id: str

    @classmethod
    def of(cls, instance: Instance) -> Place:
        return cls(instance.created_at, instance.instance_id)

    @classmethod
    def read(cls, cursor: str) -> Place:
        """The place in a cursor. Raises UnusableCursor if it is none."""
        moment, _, instance_id = cursor.partition("/")
        try:
            return cls(datetime.fromtimestamp(int(moment), UTC), unquote(instance_id))
        except (ValueError, OverflowError, OSError):
            raise UnusableCursor from None

    def __str__(self) -> str:
        return f"{int(self.created_at.timestamp())}/{quote(self.instance_id)}"


@dataclass(slots=True)
class NewestPage:
    """Some orchestrations, newest first, and where the next page begins."""

    instances: list[Instance]
    following: Place | None


async def newest(
    client: DurableClient,
    *,
    limit: int,
    before: Place | None = None,
    states: Sequence[RunState] = (),
    prefix: str | None = None,
    fits: Callable[[Instance], bool] = lambda _: True,
) -> NewestPage:
    """Up to `limit` orchestrations created before the place that fit, newest first.

    Raises:
        TransientError: the host did not answer.
    """
    upper = before.created_at if before else datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1)
    found: list[Instance] = []
    seen: set[str] = set()
    width, read = FIRST_WINDOW, 0
    while upper >= BEGINNING and read < MOST_READ:
        lower = max(upper - width, BEGINNING)
        window = await _window(client, lower, upper, states, prefix, whole=width <= SHORTEST_WINDOW)
        read += PAGE if window is None else len(window)
        if window is None:
            width = max(width / NARROWER, SHORTEST_WINDOW)
            continue
        # Both ends of a window are inclusive, so neighbours share a second.
        new = [one for one in window if one.instance_id not in seen and (before is None or Place.of(one) < before)]
        seen.update(one.instance_id for one in new)
        found += sorted((one for one in new if fits(one)), key=Place.of, reverse=True)
        if len(found) > limit:
            return NewestPage(found[:limit], Place.of(found[limit - 1]))
        if lower == BEGINNING:
            return NewestPage(found, None)
        upper, width = lower, width * WIDER if len(window) < MOST_SORTED / WIDER else width
    return NewestPage(found, Place(upper + SHORTEST_WINDOW, ""))


async def _window(
    client: DurableClient,
    lower: datetime,
    upper: datetime,
    states: Sequence[RunState],
    prefix: str | None,
    *,
    whole: bool,
) -> list[Instance] | None:
    """The orchestrations created in [lower, upper]; None if they are too many and not wanted `whole`."""

    async def read(at: str | None) -> tuple[Sequence[Instance], str | None]:
        page = await client.page(
            top=PAGE, continuation=at, states=list(states), prefix=prefix, since=lower, until=upper
        )
        return page.instances, page.continuation

    found: list[Instance] = []
    async for instance in each(read):
        if len(found) == MOST_SORTED and not whole:
            return None
        found.append(instance)
    return found

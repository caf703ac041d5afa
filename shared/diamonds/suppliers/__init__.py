"""Which suppliers there are. Adding one: write its adapter, name it here, give it its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.platform.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.diamonds.models import FeedName
    from shared.diamonds.suppliers.base import Supplier


def supplier(feed: FeedName) -> Supplier:
    """The supplier of a feed, to be opened with `async with`.

    Raises:
        NotFound: no supplier goes by that name.
        TerminalError: the feed's settings are missing.
    """
    make = _suppliers().get(feed)
    if make is None:
        raise NotFound(
            f"There is no feed named {feed!r}.",
            code="unknown-feed",
            remedy=f"The feeds are: {', '.join(_suppliers())}.",
        )
    return make()


def _suppliers() -> dict[FeedName, Callable[[], Supplier]]:
    from shared.diamonds.suppliers.nivoda import Nivoda  # noqa: PLC0415 - loads in the activity that needs it

    return {"nivoda": Nivoda.from_settings}

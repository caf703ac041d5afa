"""All that is known of one stone of a supplier: what the supplier sent last, what became of it, and what is offered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.diamonds.models import Model
from shared.diamonds.offer.search.query import Diamond
from shared.diamonds.offer.search.statements import COLUMNS
from shared.platform.errors import NotFound
from shared.platform.redaction import redact
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from shared.diamonds.models import FeedName

OFFERS = 10


class RawStone(Model):
    """A stone as the supplier sent it last."""

    status: Literal["pending", "processing", "done", "failed"] = Field(description="of its consolidation")
    reason: str | None = Field(description="why it could not be priced: the fields that are wrong, and what they hold")
    run_id: UUID = Field(description="the run that brought it as it is")
    source_updated_at: AwareDatetime | None = Field(description="when it changed, by the supplier's account")
    read_at: AwareDatetime = Field(description="when it was read for the first time")
    changed_at: AwareDatetime = Field(description="when its status changed last")
    payload: Any = Field(description="what the supplier sent; what looks like a secret is hidden")


class Offer(Diamond):
    """A diamond that the stone became."""

    status: str = Field(description="active: on offer; deleted: no longer")


class Stone(Model):
    """A stone of a supplier."""

    feed: str
    supplier_stone_id: str
    raw: RawStone | None = Field(description="null: past its retention")
    offers: list[Offer] = Field(description="the newest first; empty: it was never priced")


_RAW = """
select consolidation_status as status, failure_reason as reason, run_id, source_updated_at, created_at as read_at,
    updated_at as changed_at, payload
from diamonds.raw_diamonds where feed = %s and supplier_stone_id = %s
"""

_OFFERS = f"""
select {COLUMNS}, d.status from diamonds.diamonds d
where d.feed = %s and d.supplier_stone_id = %s order by d.id desc limit {OFFERS}
"""  # noqa: S608 - constants


async def read_stone(feed: FeedName, supplier_stone_id: str) -> Stone:
    """The stone, also one that failed or is no longer offered.

    Raises:
        NotFound: none of that id was ever read from the feed.
    """
    key = (feed, supplier_stone_id)
    async with database() as connection:
        raw = await rows(connection, _RAW, key)
        offers = await rows(connection, _OFFERS, key)
    if not raw and not offers:
        raise NotFound(
            f"No stone {supplier_stone_id} was read from {feed}.",
            code="unknown-stone",
            remedy="Give the id as the supplier writes it.",
        )
    for row in raw:
        row["payload"] = json.loads(redact(json.dumps(row["payload"])))
    return Stone(
        feed=feed,
        supplier_stone_id=supplier_stone_id,
        raw=RawStone.model_validate(raw[0]) if raw else None,
        offers=[Offer.model_validate(row) for row in offers],
    )

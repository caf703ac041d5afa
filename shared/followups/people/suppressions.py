"""Addresses that get no mail, each with its reason: for the agent who asks why, and the operator, who can lift one."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.followups.people.models import ResponseBody
from shared.platform.errors import NotFound
from shared.platform.stores.postgres import database, rows

logger = logging.getLogger(__name__)


class Suppression(ResponseBody):
    """An address that is not written to."""

    address: str
    scope: Literal["all", "cadence"] = Field(description="all: no mail at all; cadence: no follow-ups")
    reason: str = Field(
        description="unsubscribed, complaint, bounce, no-such-mailbox, provider-list, deferred-too-often"
    )
    created_at: datetime = Field(description="When it was noted, or noted again")


async def listed(*, after: str, limit: int, address: str | None = None) -> list[Suppression]:
    """Those behind that address, in the order of addresses; only this one if it is given."""
    async with database() as connection:
        suppressed = await rows(
            connection,
            "select address, scope, reason, created_at from followups.suppressions where address > %(after)s"
            " and (%(address)s::text is null or address = %(address)s) order by address limit %(limit)s",
            {"after": after, "address": address, "limit": limit},
        )
    return [Suppression.model_validate(row) for row in suppressed]


async def lift(address: str) -> Suppression:
    """Let mails go to the address again; what was cancelled stays cancelled.

    Raises:
        NotFound: it is not suppressed.
    """
    async with database() as connection:
        lifted = await rows(
            connection,
            "delete from followups.suppressions where address = %s returning address, scope, reason, created_at",
            (address,),
        )
    if not lifted:
        raise NotFound("This address is not suppressed.", code="unknown-suppression")
    logger.warning("A suppression was lifted.", extra={"reason": lifted[0]["reason"]})
    return Suppression.model_validate(lifted[0])

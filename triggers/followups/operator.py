"""Routes of the operator: the switch that stops all mails, what nobody knows, the domain of the sender, the costs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.followups.composing import costs
from shared.followups.composing.costs import DailyCost
from shared.followups.people import suppressions
from shared.followups.people.models import LONGEST_ADDRESS, Address
from shared.followups.people.suppressions import Suppression
from shared.followups.sending import unknown
from shared.followups.sending.checking import brakes
from shared.followups.sending.domain import gate
from shared.followups.sending.unknown import UnknownMail
from shared.platform.access.auth import ADMIN
from shared.platform.cursors import OPENED
from shared.platform.http import Page, Pagination, Routes
from shared.platform.models import LazyModel, RequestBody
from shared.platform.printable import Name
from triggers.followups.lists import NumberedPage, page

routes = Routes(tag="followups", unusable=422)


class StopRequest(RequestBody):
    reason: Name


class SuppressionsPage(LazyModel, extra="forbid"):
    """Which part of the list to show."""

    limit: int = Field(default=50, ge=1, le=100, description="Most items of one page")
    address: Address | None = Field(default=None, description="Only this one")
    cursor: Annotated[str, Field(max_length=LONGEST_ADDRESS), OPENED] | None = Field(
        default=None, description="`pagination.next` of the page before"
    )


class LiftRequest(RequestBody):
    address: Address


class SenderDomain(LazyModel):
    """Whether mails may go out; `problems` says what is to be mended in DNS."""

    ready: bool
    problems: list[str]


class CostsQuery(LazyModel, extra="forbid"):
    days: int = Field(default=30, ge=1, le=366, description="How many days back")


class Costs(LazyModel):
    """What the model has cost, the newest day first."""

    data: list[DailyCost]


@routes.post("/api/followups/stop", needs=ADMIN, summary="Stop all mails of all agents")
async def followups_stop(body: StopRequest) -> None:
    """From the next check on nothing is handed over; /health/scheduler shows since when."""
    await brakes.stop(body.reason)


@routes.post("/api/followups/resume", needs=ADMIN, summary="Let the mails of all agents go on")
async def followups_resume() -> None:
    await brakes.resume()


@routes.get("/api/followups/unknown", needs=ADMIN, summary="Mails of which nobody knows whether they were handed over")
async def followups_list_unknown(query: NumberedPage) -> Page[UnknownMail]:
    """Of all agents, the oldest first. Look for the Message-ID, then say which with the mail's resolve route."""
    return page(await unknown.listed(after=query.cursor or 0, limit=query.limit), query.limit)


@routes.get("/api/followups/suppressions", needs=ADMIN, summary="Addresses that get no mail")
async def followups_list_suppressions(query: SuppressionsPage) -> Page[Suppression]:
    """In the order of addresses, each with its scope, its reason and since when."""
    listed = await suppressions.listed(after=query.cursor or "", limit=query.limit, address=query.address)
    following = listed[-1].address if len(listed) == query.limit else None
    return Page(data=listed, pagination=Pagination(limit=query.limit, next=following))


@routes.post("/api/followups/suppressions/lift", needs=ADMIN, summary="Write to an address again")
async def followups_lift_suppression(body: LiftRequest) -> Suppression:
    """For an address that was noted wrongly, or whose mailbox is there again; what was cancelled stays cancelled."""
    return await suppressions.lift(body.address)


@routes.post("/api/followups/sender-domain/check", needs=ADMIN, summary="Look at the sender's domain in DNS now")
async def followups_check_domain() -> SenderDomain:
    """What is found counts at once: mails that waited for it go out with the next sweep."""
    problems = await gate.refused(look_again=True)
    return SenderDomain(ready=not problems, problems=problems)


@routes.get("/api/followups/costs", needs=ADMIN, summary="What the model that writes has cost")
async def followups_costs(query: CostsQuery) -> Costs:
    return Costs(data=await costs.by_day(query.days))

"""Routes for those who set prices: the pricing rules, what a change of one would do, re-pricing."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from orchestrators.diamonds.repricing import reprice_diamonds, repricing_instance
from shared.diamonds.ingestion.suppliers import check_feed
from shared.diamonds.models import FeedName
from shared.diamonds.pricing import preview, repricing, rules
from shared.diamonds.pricing.models import RepriceFeed, Repricing
from shared.diamonds.pricing.preview import Effect, RuleChange
from shared.diamonds.pricing.rules import StoredRule
from shared.diamonds.pricing.terms import RuleTerms
from shared.platform.durable import DurableClient
from shared.platform.errors import InvalidInput, NotFound
from shared.platform.http import Accepted, Reply, Routes
from shared.platform.models import LazyModel
from triggers.diamonds.callers import PRICING

routes = Routes(tag="diamonds")
RuleId = Annotated[int, Field(ge=1, lt=2**63)]


class Seen(LazyModel):
    """Which revision of the rule the caller has seen: the ETag of the answer that showed it."""

    if_match: str = Field(
        pattern=r'^(\*|"[0-9]{1,18}")$', description='the ETag, as `"3"`; `*` overwrites whatever is there'
    )

    @property
    def revision(self) -> int | None:
        return None if self.if_match == "*" else int(self.if_match.strip('"'))


class Rules(LazyModel):
    """Every rule, in the order in which they are tried, and the state of the last re-pricing of each feed."""

    data: list[StoredRule]
    version: int = Field(description="grows with every change of any rule")
    repricings: list[Repricing]


class RepriceRequest(LazyModel):
    """Which feed to re-price."""

    model_config = ConfigDict(extra="forbid")
    feed: FeedName = "nivoda"


class RepriceStarted(Accepted):
    """A re-pricing that goes on by itself; `location` shows how far it is."""

    repricing_id: UUID


@routes.get("/api/v2/pricing-rules", needs=PRICING, summary="The pricing rules, in the order in which they are tried")
async def diamonds_list_rules() -> Rules:
    """All of them: there are at most 500. A feed whose re-pricing has an older `rules_version` may have old prices."""
    found, version = await rules.list_rules()
    return Rules(data=found, version=version, repricings=await repricing.last_repricings())


@routes.post("/api/v2/pricing-rules", needs=PRICING, summary="Add a pricing rule", status=201)
async def diamonds_create_rule(body: RuleTerms) -> Reply[StoredRule]:
    """Diamonds keep their prices until they are consolidated or re-priced."""
    _check_feed(body, "feed")
    stored = await rules.create_rule(body)
    return _shown(stored, status=201, Location=f"/api/v2/pricing-rules/{stored.id}")


@routes.get("/api/v2/pricing-rules/{rule_id}", needs=PRICING, summary="One pricing rule")
async def diamonds_read_rule(rule_id: RuleId) -> Reply[StoredRule]:
    """Its ETag is what If-Match wants when the rule is changed."""
    return _shown(await rules.read_rule(rule_id))


@routes.put("/api/v2/pricing-rules/{rule_id}", needs=PRICING, summary="Replace the terms of a pricing rule")
async def diamonds_change_rule(rule_id: RuleId, headers: Seen, body: RuleTerms) -> Reply[StoredRule]:
    """412 if somebody else has changed it since the caller saw it."""
    _check_feed(body, "feed")
    return _shown(await rules.change_rule(rule_id, body, headers.revision))


@routes.delete("/api/v2/pricing-rules/{rule_id}", needs=PRICING, summary="Delete a pricing rule")
async def diamonds_delete_rule(rule_id: RuleId, headers: Seen) -> None:
    """412 if somebody else has changed it since the caller saw it."""
    await rules.delete_rule(rule_id, headers.revision)


@routes.post("/api/v2/pricing-rules/preview", needs=PRICING, summary="What a change of a pricing rule would do")
async def diamonds_preview_rule(body: RuleChange) -> Effect:
    """A new rule, a changed or a deleted one; nothing is changed.

    It looks at every diamond on offer: about a second for half a million; given up with 503 after 30.
    """
    if body.rule:
        _check_feed(body.rule, "rule.feed")
    return await preview.preview(body)


@routes.post("/api/v2/triggers/reprice", needs=PRICING, summary="Give a feed's diamonds the prices of today's rules")
async def diamonds_reprice(body: RepriceRequest, client: DurableClient) -> RepriceStarted:
    """Starts in the background; 409 while the feed is being re-priced. A run of the feed may go on beside it."""
    check_feed(body.feed)
    request = RepriceFeed(feed=body.feed)
    instance = await client.start(reprice_diamonds, request, instance_id=repricing_instance(body.feed))
    where = f"/api/v2/analytics/repricings/{request.repricing_id}"
    return RepriceStarted(id=instance, location=where, repricing_id=request.repricing_id)


@routes.get("/api/v2/analytics/repricings/{repricing_id}", needs=PRICING, summary="How far a re-pricing is")
async def diamonds_read_repricing(repricing_id: UUID) -> Repricing:
    """404 also in the moment between its start and its first step."""
    return await repricing.read_repricing(repricing_id)


def _check_feed(terms: RuleTerms, field: str) -> None:
    """A rule for a feed that does not exist would never apply."""
    if terms.feed is None:
        return
    try:
        check_feed(terms.feed)
    except NotFound as unknown:
        raise InvalidInput(unknown.message, field=field, code=unknown.code, remedy=unknown.remedy) from None


def _shown(stored: StoredRule, *, status: int = 200, **headers: str) -> Reply[StoredRule]:
    return Reply(stored, status=status, headers={"ETag": f'"{stored.revision}"', **headers})

"""Claims that come to nothing: given back where the text is not to blame, asked again later where the model refuses it.

A refused text is asked again after growing pauses, then shown as failed until a person asks for it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.papers.embedding.models import RefusedText
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from uuid import UUID

PAUSES_MINUTES = (1, 10, 60)
"""After the first refusals of a text; the one after them is the last."""
MOST_ATTEMPTS = 5
"""Claims whose workers died, after which a paper is shown as failed: it may be what kills them."""


async def give_back(model_id: int, claim: UUID, *, counts: bool = False) -> None:
    """Free what a claim still has, and whether it `counts` as an attempt: one that an outage ended does not."""
    async with database() as connection:
        await connection.execute(
            "update papers.unembedded set claim = null, claimed_until = case when %(counts)s then now() end,"
            " attempts = attempts - case when %(counts)s or attempts = 0 then 0 else 1 end"
            " where model_id = %(model)s and claim = %(claim)s and error is null",
            {"model": model_id, "claim": claim, "counts": counts},
        )


async def give_up(model_id: int) -> int:
    """Show what was claimed too often by workers that died as failed; how many."""
    async with database() as connection:
        updated = await connection.execute(
            "update papers.unembedded u set claim = null, error = reason, refusal = reason"
            " from (select 'claimed ' || %(most)s || ' times and never embedded: its workers died' as reason) s"
            " where model_id = %(model)s and error is null and attempts >= %(most)s and claimed_until < now()",
            {"model": model_id, "most": MOST_ATTEMPTS},
        )
    return updated.rowcount


async def refuse(model_id: int, paper_id: UUID, reason: str, claim: UUID) -> bool:
    """Note that the model refuses a paper that this claim still has; whether it is given up now."""
    values = {
        "model": model_id,
        "paper": paper_id,
        "claim": claim,
        "reason": reason[:500],
        "pauses": list(PAUSES_MINUTES),
    }
    async with database() as connection:
        refused = await rows(connection, _REFUSE, values)
    return bool(refused) and refused[0]["failed"]


async def ask_again() -> int:
    """Let every text that was refused or failed be asked again at once, as if for the first time; how many."""
    async with database() as connection:
        updated = await connection.execute(
            "update papers.unembedded set error = null, refusal = null, refusals = 0, attempts = 0,"
            " claimed_until = null where refusal is not null and claim is null"
        )
    return updated.rowcount


async def of_model(model_id: int, limit: int, after: UUID | None) -> list[RefusedText]:
    """The texts that a model refused, and those that failed, in the order of their papers' ids."""
    async with database() as connection:
        texts = await rows(connection, _OF_MODEL, {"model": model_id, "limit": limit, "after": after})
    return [RefusedText.model_validate(row) for row in texts]


_REFUSE = """
update papers.unembedded set claim = null, attempts = 0, refusals = refusals + 1, refusal = %(reason)s,
    claimed_until = now() + make_interval(mins => (%(pauses)s::int[])[refusals + 1]),
    error = case when refusals >= cardinality(%(pauses)s::int[]) then %(reason)s end
where model_id = %(model)s and paper_id = %(paper)s and claim = %(claim)s
returning error is not null as failed
"""

_OF_MODEL = """
select u.paper_id, p.source, p.source_id, p.title, u.refusal as reason, u.refusals, u.error is not null as failed,
    case when u.error is null then u.claimed_until end as asked_again_at
from papers.unembedded u join papers.papers p using (paper_id)
where u.model_id = %(model)s and u.refusal is not null and (%(after)s::uuid is null or u.paper_id > %(after)s)
order by u.paper_id limit %(limit)s
"""

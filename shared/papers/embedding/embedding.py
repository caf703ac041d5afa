"""Papers without a vector are claimed, embedded in batches that the model takes, and stored, each once.

A claim has a number of its own and ends by itself, so that what a killed worker had is claimed again, and a worker that
comes late, or whose paper has got another text meanwhile, stores nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from shared.papers.embedding import versions
from shared.papers.embedding.centre import centre_of
from shared.papers.embedding.embedders import embedder
from shared.papers.embedding.models import BoxEmbedded, EmbedShare
from shared.papers.embedding.texts import embedding_text
from shared.papers.settings import settings
from shared.platform.calls.retry import Backoff, Time, retry
from shared.platform.errors import InvalidInput
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from shared.papers.embedding.embedders.base import Embedded, Embedder

LEASE_MINUTES = 10
PATIENCE = Backoff(limit=90, first_delay=1, longest_delay=20, longest_wait=60)
"""With a model that is busy, within an activity; the claims outlast it."""
MOST_ATTEMPTS = 5
"""After which a paper is shown as failed: whatever claims it dies, or the model refuses it."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A paper that this worker embeds."""

    paper_id: UUID
    text: str


async def embed_box(share: EmbedShare, *, clock: Callable[[], float] = time.monotonic) -> BoxEmbedded:
    """Embed papers for about a time box; call again until `done`.

    Raises:
        TransientError: the model did not answer. What was embedded before is stored; the rest is claimed again.
    """
    model = embedder(await versions.find(share.model_id))
    stop = clock() + settings().papers_embed_seconds
    embedded = failed = 0
    while True:
        claim = uuid4()
        failed += await _give_up(share.model_id)
        claimed = await claim_papers(share.model_id, claim, model.most_texts, LEASE_MINUTES)
        for batch in _batches(claimed, model):
            stored, refused = await _embed(share.model_id, claim, model, batch)
            embedded, failed = embedded + stored, failed + refused
        if not claimed or clock() >= stop:
            return BoxEmbedded(embedded=embedded, failed=failed, done=not claimed)


def _batches(claimed: Sequence[Claimed], model: Embedder) -> Iterator[list[Claimed]]:
    """Cut so that no call has more texts or tokens than the model takes."""
    batch: list[Claimed] = []
    size = 0
    for one in claimed:
        tokens = model.tokens(one.text)
        if batch and (size + tokens > model.most_tokens or len(batch) == model.most_texts):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += tokens
    if batch:
        yield batch


async def _embed(model_id: int, claim: UUID, model: Embedder, batch: list[Claimed]) -> tuple[int, int]:
    """Embed a batch; (stored, failed). One that the model refuses is halved until the text that it refuses is alone."""
    try:
        found = await retry(lambda _: model.embed([one.text for one in batch]), PATIENCE, Time())
    except InvalidInput as error:
        if len(batch) == 1:
            await refuse(model_id, batch[0].paper_id, str(error), claim)
            return 0, 1
        half = len(batch) // 2
        first = await _embed(model_id, claim, model, batch[:half])
        second = await _embed(model_id, claim, model, batch[half:])
        return first[0] + second[0], first[1] + second[1]
    return await store(model_id, claim, model.dollars_per_million, batch, found), 0


async def claim_papers(model_id: int, claim: UUID, most: int, minutes: int) -> list[Claimed]:
    """Claim papers without a vector of the version, for so many minutes."""
    async with database() as connection:
        found = await rows(
            connection, _CLAIM, {"model": model_id, "claim": claim, "most": most, "lease": minutes}, prepare=False
        )
    return [Claimed(row["paper_id"], embedding_text(row["title"], row["abstract"])) for row in found]


async def _give_up(model_id: int) -> int:
    """Show what was claimed too often as failed; how many."""
    async with database() as connection:
        found = await connection.execute(
            "update papers.unembedded set error = 'claimed ' || attempts || ' times and never embedded'"
            " where model_id = %s and error is null and attempts >= %s and claimed_until < now()",
            (model_id, MOST_ATTEMPTS),
        )
    return found.rowcount


async def refuse(model_id: int, paper_id: UUID, error: str, claim: UUID) -> None:
    """Show a paper as failed that this claim still has."""
    async with database() as connection:
        await connection.execute(
            "update papers.unembedded set error = %s where model_id = %s and paper_id = %s and claim = %s",
            (error[:500], model_id, paper_id, claim),
        )


async def store(model_id: int, claim: UUID, price: float, batch: list[Claimed], found: Embedded) -> int:
    """Store the vectors of papers that this claim still has, without their centre; how many.

    `price` is what a million tokens cost, in dollars.
    """
    stored = found.vectors - await centre_of(model_id)
    from pgvector import HalfVector  # noqa: PLC0415 - loads in the activity that needs it
    from pgvector.psycopg import register_vector_async  # noqa: PLC0415 - as above

    async with database() as connection:
        await register_vector_async(connection)
        await connection.execute(_INCOMING)
        async with connection.cursor().copy(
            "copy vectors_in (paper_id, cut, embedding) from stdin (format binary)"
        ) as copy:
            copy.set_types(["uuid", "bool", "halfvec"])
            for one, vector, cut in zip(batch, stored, found.cut, strict=True):
                await copy.write_row((one.paper_id, cut, HalfVector(vector)))
        values: dict[str, Any] = {
            "model": model_id,
            "claim": claim,
            "tokens": found.tokens,
            "dollars": found.tokens * price / 1e6,
        }
        [row] = await rows(connection, _STORE.replace("vectors_N", f"vectors_{model_id:d}"), values, prepare=False)
    return row["stored"]


_CLAIM = """
with chosen as (
    select paper_id from papers.unembedded
    where model_id = %(model)s and error is null and (claimed_until is null or claimed_until < now())
    order by claimed_until nulls first limit %(most)s for update skip locked
), claimed as (
    update papers.unembedded u set claim = %(claim)s, attempts = attempts + 1,
        claimed_until = now() + make_interval(mins => %(lease)s)
    from chosen where u.model_id = %(model)s and u.paper_id = chosen.paper_id
    returning u.paper_id
)
select p.paper_id, p.title, p.abstract from claimed join papers.papers p using (paper_id)
"""

_INCOMING = """
create temporary table if not exists vectors_in (paper_id uuid, cut boolean, embedding halfvec) on commit delete rows
"""

_STORE = """
with mine as (
    delete from papers.unembedded u using vectors_in v
    where u.model_id = %(model)s and u.paper_id = v.paper_id and u.claim = %(claim)s returning u.paper_id
), stored as (
    insert into papers.vectors_N as known (paper_id, embedding, cut)
    select v.paper_id, v.embedding, v.cut from vectors_in v join mine using (paper_id) order by v.paper_id
    on conflict (paper_id) do update set embedding = excluded.embedding, cut = excluded.cut
    returning paper_id, cut
), unplaced as (
    insert into papers.unplaced (version, paper_id)
    select m.version, s.paper_id from stored s, papers.maps m
    where m.model_id = %(model)s and m.state in ('building', 'current')
    on conflict do nothing
), counted as (
    insert into papers.embedding_usage as known (model_id, day, texts, tokens, cut, dollars)
    select %(model)s, (now() at time zone 'UTC')::date, count(*), %(tokens)s, count(*) filter (where cut), %(dollars)s
    from stored
    on conflict (model_id, day) do update set texts = known.texts + excluded.texts,
        tokens = known.tokens + excluded.tokens, cut = known.cut + excluded.cut,
        dollars = known.dollars + excluded.dollars
)
select count(*)::int as stored from stored
"""

"""Papers without a vector are claimed, embedded in batches that the model takes, and stored, each once.

A claim has a number of its own and ends by itself, so that what a killed worker had is claimed again, and a worker that
comes late, or whose paper has got another text meanwhile, stores nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from shared.papers.embedding import problems, trial, versions
from shared.papers.embedding.centre import centre_of
from shared.papers.embedding.embedders import embedder
from shared.papers.embedding.embedders.calls import calls
from shared.papers.embedding.embedders.texts import embedding_text
from shared.papers.embedding.models import BoxEmbedded, EmbedShare
from shared.papers.embedding.refusals import give_back, give_up, refuse
from shared.papers.settings import settings
from shared.platform.calls.retry import Backoff, Time, retry
from shared.platform.errors import InvalidInput, ManifoldError
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.papers.embedding.embedders.base import Embedded, Embedder

LEASE_MINUTES = 10
PATIENCE = Backoff(limit=90, first_delay=1, longest_delay=20, longest_wait=60)
"""With a model that is busy, within an activity; the claims outlast it."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A paper that this worker embeds."""

    paper_id: UUID
    text: str


async def embed_box(share: EmbedShare, *, clock: Callable[[], float] = time.monotonic) -> BoxEmbedded:
    """Embed papers for about a time box; call again until `done`.

    What goes wrong for another reason than a text is no attempt of the papers, and stands with the version.

    Raises:
        TransientError: the model did not answer. What was embedded before is stored; the rest is claimed again.
        TerminalError: the model refuses us, or every text.
    """
    version = await versions.find(share.model_id)
    if version.state not in versions.IN_USE:
        return BoxEmbedded(embedded=0, failed=0, done=True)
    deadline = clock() + settings().papers_embed_seconds
    async with problems.noted(version):
        box = _Box(version.model_id, embedder(version))
        while True:
            claimed = await box.embed_some()
            if not claimed or clock() >= deadline:
                return BoxEmbedded(embedded=box.embedded, failed=box.failed, done=not claimed)


@dataclass(slots=True)
class _Box:
    """What a worker has come to within its time box.

    Attributes:
        works: whether the model has taken a text, so that what it refuses is refused for its own sake.
    """

    model_id: int
    model: Embedder
    embedded: int = 0
    failed: int = 0
    works: bool = False

    async def embed_some(self) -> int:
        """Claim papers and embed them; how many were claimed."""
        self.failed += await give_up(self.model_id)
        claim = uuid4()
        claimed = await claim_papers(self.model_id, claim, self.model.most_texts, LEASE_MINUTES)
        try:
            for batch in calls(self.model, claimed, lambda paper: paper.text):
                await self._embed(claim, batch)
        except Exception as error:
            # Of what nobody expected each time counts: it may be one of these papers that brings it about.
            await give_back(self.model_id, claim, counts=not isinstance(error, ManifoldError))
            raise
        return len(claimed)

    async def _embed(self, claim: UUID, batch: list[Claimed]) -> None:
        """Embed a batch. One that the model refuses is halved until the text that it refuses is alone."""
        try:
            embedded = await retry(lambda _: self.model.embed([paper.text for paper in batch]), PATIENCE, Time())
        except InvalidInput as error:
            if not self.works:
                await trial.check(self.model)
                self.works = True
            if len(batch) == 1:
                self.failed += await refuse(self.model_id, batch[0].paper_id, str(error), claim)
                return
            half = len(batch) // 2
            await self._embed(claim, batch[:half])
            await self._embed(claim, batch[half:])
            return
        self.embedded += await store(self.model_id, claim, self.model.dollars_per_million, batch, embedded)
        if not self.works:
            await problems.clear(self.model_id)
            self.works = True


async def claim_papers(model_id: int, claim: UUID, most: int, minutes: int) -> list[Claimed]:
    """Claim papers without a vector of the version, for so many minutes."""
    async with database() as connection:
        papers = await rows(
            connection, _CLAIM, {"model": model_id, "claim": claim, "most": most, "lease": minutes}, prepare=False
        )
    return [Claimed(row["paper_id"], embedding_text(row["title"], row["abstract"])) for row in papers]


async def store(model_id: int, claim: UUID, price: float, batch: list[Claimed], embedded: Embedded) -> int:
    """Store the vectors of papers that this claim still has, without their centre; how many.

    `price` is what a million tokens cost, in dollars.
    """
    stored = embedded.vectors - await centre_of(model_id)
    from pgvector import HalfVector  # noqa: PLC0415 - loads in the activity that needs it
    from pgvector.psycopg import register_vector_async  # noqa: PLC0415 - as above

    async with database() as connection:
        await register_vector_async(connection)
        await connection.execute(_INCOMING)
        async with connection.cursor().copy(
            "copy vectors_in (paper_id, cut, embedding) from stdin (format binary)"
        ) as copy:
            copy.set_types(["uuid", "bool", "halfvec"])
            for paper, vector, cut in zip(batch, stored, embedded.cut, strict=True):
                await copy.write_row((paper.paper_id, cut, HalfVector(vector)))
        values: dict[str, Any] = {
            "model": model_id,
            "claim": claim,
            "tokens": embedded.tokens,
            "dollars": embedded.tokens * price / 1e6,
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
with claimed as (
    delete from papers.unembedded u using vectors_in v
    where u.model_id = %(model)s and u.paper_id = v.paper_id and u.claim = %(claim)s returning u.paper_id
), stored as (
    insert into papers.vectors_N as known (paper_id, embedding, cut)
    select v.paper_id, v.embedding, v.cut from vectors_in v join claimed using (paper_id) order by v.paper_id
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

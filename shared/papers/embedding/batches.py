"""Many papers at once are given to a service that answers within a day, for half the money.

A batch is noted before it is sent, with the claim of its papers; the claim stands in the service's metadata too.
Whoever is killed in between leaves a note by which the next one finds the batch, or frees its papers if it was never
sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from shared.papers.embedding import problems, trial, versions
from shared.papers.embedding.embedders.base import Embedded
from shared.papers.embedding.embedding import Claimed, claim_papers, store
from shared.papers.embedding.models import BoxEmbedded, EmbedShare, ModelVersion
from shared.papers.embedding.refusals import give_back, refuse
from shared.papers.settings import settings
from shared.platform.errors import NotFound, TerminalError
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from shared.papers.embedding.embedders.openai import OpenAiEmbedder
    from shared.papers.embedding.embedders.openai_batches import Answer, OpenAiBatches, Progress

LEASE_MINUTES = 26 * 60
"""Of the papers of a batch: the service takes a day at most."""
SENDING_MINUTES = 15
"""After which a batch that is being sent is taken for one whose sender was killed."""
_STORED_AT_ONCE = 500


async def due(version: ModelVersion) -> bool:
    """Whether there is something to send or to fetch: so many papers wait that batches pay, or some are under way."""
    if version.name != "openai":
        return False
    async with database() as connection:
        [row] = await rows(connection, _OPEN, {"model": version.model_id})
    least = settings().papers_openai_batch_from
    return row["under_way"] or (least > 0 and row["waiting"] >= least)


async def work(share: EmbedShare) -> BoxEmbedded:
    """Store what the service has answered, then give it what waits; repeated, it goes on where it was.

    Raises:
        TransientError: the service did not answer; what was noted is taken up by the next call.
        TerminalError: it refuses us, or every text of a batch; the papers of the batch are free again.
    """
    from shared.papers.embedding.embedders.openai import OpenAiEmbedder  # noqa: PLC0415 - loads what it needs
    from shared.papers.embedding.embedders.openai_batches import OpenAiBatches  # noqa: PLC0415 - as above

    version = await versions.find(share.model_id)
    embedded = failed = 0
    async with problems.noted(version):
        embedder = OpenAiEmbedder.of(version)
        service = OpenAiBatches(embedder)
        wrong: list[Exception] = []
        for batch in await _open(share.model_id):
            try:
                stored, given_up = await _fetch(service, embedder, share.model_id, batch)
            except Exception as error:  # noqa: BLE001 - raised below: the other batches may be well
                wrong.append(error)
                continue
            embedded, failed = embedded + stored, failed + given_up
        if wrong:
            raise wrong[0]
        while await _worthwhile(share.model_id):
            await _send(service, share.model_id)
    return BoxEmbedded(embedded=embedded, failed=failed, done=True)


async def _send(service: OpenAiBatches, model_id: int) -> None:
    from shared.papers.embedding.embedders.openai_batches import MOST_TEXTS  # noqa: PLC0415 - as above

    claim = uuid4()
    await _execute("insert into papers.embedding_batches (claim, model_id) values (%s, %s)", claim, model_id)
    claimed = await claim_papers(model_id, claim, MOST_TEXTS, LEASE_MINUTES)
    if not claimed:
        await _end(model_id, claim, "no paper was left for it")
        return
    try:
        remote_id = await service.send(claim, {paper.paper_id: paper.text for paper in claimed})
    except TerminalError as error:
        # After another error it may have the batch all the same: the next call looks for it.
        await _end(model_id, claim, str(error))
        raise
    await _note(claim, remote_id)


async def _fetch(
    service: OpenAiBatches, embedder: OpenAiEmbedder, model_id: int, batch: dict[str, Any]
) -> tuple[int, int]:
    """Store what a batch has answered, if it has ended; (stored, given up).

    Raises:
        TerminalError: it has embedded nothing, and every text was refused for the same reason.
    """
    claim: UUID = batch["claim"]
    remote_id: str | None = batch["remote_id"]
    if remote_id is None:
        if not batch["left"]:
            return 0, 0  # somebody is sending it
        remote_id = await service.find(claim)
        if remote_id is None:
            await _end(model_id, claim, "it was never sent")
            return 0, 0
        await _note(claim, remote_id)
    try:
        progress = await service.look(remote_id)
        if not progress.ended:
            return 0, 0
        answers = await _store_answers(service, embedder, model_id, claim, progress)
    except NotFound as error:
        await _end(model_id, claim, str(error))  # the service keeps nothing for ever
        return 0, 0
    given_up = sum([await refuse(model_id, answer.paper_id, answer.reason, claim) for answer in answers.of_texts()])
    await _execute(
        "update papers.embedding_batches set embedded = embedded + %s, refused = %s where claim = %s",
        answers.stored,
        len(answers.of_texts()),
        claim,
    )
    passed_over = f"; {answers.unusable:,} lines of its answer name no text" if answers.unusable else ""
    await _end(model_id, claim, progress.reason + passed_over)
    await service.forget(progress)
    if answers.of_model():
        raise trial.refuses_everything(embedder.batch_model, answers.refused[0].reason)
    return answers.stored, given_up


@dataclass(slots=True)
class _Answers:
    """What a batch has answered.

    Attributes:
        embedded: texts; `stored` are those that nobody had stored before.
        refused: with their reasons.
        unusable: lines that say nothing of any text.
        seen: papers of which a line was read: another one changes nothing.
    """

    embedded: int = 0
    stored: int = 0
    refused: list[Answer] = field(default_factory=list["Answer"])
    unusable: int = 0
    seen: set[UUID] = field(default_factory=set[UUID])

    def of_model(self) -> bool:
        """Whether the model is to blame, since it refuses every text for the same reason."""
        return not self.embedded and trial.alike([answer.reason for answer in self.refused])

    def of_texts(self) -> list[Answer]:
        """The texts that are refused for their own sake."""
        return [] if self.of_model() else [answer for answer in self.refused if answer.by_text]


async def _store_answers(
    service: OpenAiBatches, embedder: OpenAiEmbedder, model_id: int, claim: UUID, progress: Progress
) -> _Answers:
    answers = _Answers()
    some: list[Answer] = []
    for file in progress.answers:
        async for answer in service.answers(file):
            if answer is None or answer.paper_id in answers.seen:
                answers.unusable += answer is None
                continue
            answers.seen.add(answer.paper_id)
            (answers.refused if answer.vector is None else some).append(answer)
            if len(some) == _STORED_AT_ONCE:
                answers.embedded += len(some)
                answers.stored += await _store(embedder, model_id, claim, some)
                some = []
    if some:
        answers.embedded += len(some)
        answers.stored += await _store(embedder, model_id, claim, some)
        await problems.clear(model_id)
    return answers


async def _store(embedder: OpenAiEmbedder, model_id: int, claim: UUID, answers: list[Answer]) -> int:
    import numpy as np  # noqa: PLC0415 - loads in the activity that needs it

    from shared.papers.embedding.embedders.openai_batches import SHARE_OF_PRICE  # noqa: PLC0415 - as above

    embedded = Embedded(
        np.stack([answer.vector for answer in answers]),
        sum(answer.tokens for answer in answers),
        [answer.cut for answer in answers],
    )
    papers = [Claimed(answer.paper_id, "") for answer in answers]
    return await store(model_id, claim, embedder.dollars_per_million * SHARE_OF_PRICE, papers, embedded)


async def _worthwhile(model_id: int) -> bool:
    least = settings().papers_openai_batch_from
    async with database() as connection:
        [row] = await rows(connection, _OPEN, {"model": model_id})
    return least > 0 and row["waiting"] >= least


async def _open(model_id: int) -> list[dict[str, Any]]:
    async with database() as connection:
        return await rows(
            connection,
            "select claim, remote_id, created_at < now() - make_interval(mins => %s) as left"
            " from papers.embedding_batches where model_id = %s and state <> 'ended' order by created_at",
            (SENDING_MINUTES, model_id),
        )


async def _note(claim: UUID, remote_id: str) -> None:
    await _execute(
        "update papers.embedding_batches set remote_id = %s, state = 'sent' where claim = %s", remote_id, claim
    )


async def _end(model_id: int, claim: UUID, reason: str) -> None:
    """Note that the batch has ended, and free those of its papers that it has not embedded."""
    await _execute(
        "update papers.embedding_batches set state = 'ended', reason = %s, ended_at = now() where claim = %s",
        reason[:300],
        claim,
    )
    await give_back(model_id, claim)


async def _execute(query: str, *values: Any) -> None:
    async with database() as connection:
        await connection.execute(query.encode(), values)


_OPEN = """
select exists (select from papers.embedding_batches where model_id = %(model)s and state <> 'ended') as under_way,
    (select count(*) from papers.unembedded where model_id = %(model)s and error is null
        and (claimed_until is null or claimed_until < now())) as waiting
"""

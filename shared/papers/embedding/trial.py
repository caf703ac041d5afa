"""Whether a model refuses some texts or every one: what refuses everything is set wrongly, and no text is to blame."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from shared.papers.embedding.embedders.calls import calls
from shared.papers.embedding.embedders.texts import embedding_text
from shared.platform.errors import InvalidInput, TerminalError
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from shared.papers.embedding.embedders.base import Embedder

SAMPLE = 10
MOST_ALIKE = 20
"""Texts refused one after the other with the same answer, after which no more are tried."""
_NUMBER = re.compile(r"\d+")


async def texts_of_sample(count: int) -> list[str]:
    """The texts of papers from all over the table, always the same."""
    async with database() as connection:
        papers = await rows(
            connection,
            # The ids are in the order of time; their hashes are in none.
            "select title, abstract from papers.papers order by hashtext(paper_id::text) limit %s",
            (count,),
        )
    return [embedding_text(row["title"], row["abstract"]) for row in papers]


async def check(model: Embedder) -> None:
    """See that the model takes a text of a small sample, or has another reason for each. Raises as `embed`."""
    await embed(model, await texts_of_sample(SAMPLE))


async def embed(model: Embedder, texts: list[str]) -> list[Any]:
    """The vectors of those texts that the model does not refuse, as arrays of one row or more.

    Raises:
        TransientError: the model did not answer.
        TerminalError: it refuses every text, and gives the same reason; or it refuses us.
    """
    trial = _Trial(model)
    for call in calls(model, texts, str):
        await trial.give(call)
    if trial.refuses_all():
        raise trial.problem()
    return trial.vectors


class _Trial:
    def __init__(self, model: Embedder) -> None:
        self.model = model
        self.vectors: list[Any] = []
        self.refusals: list[str] = []

    async def give(self, texts: list[str]) -> None:
        try:
            self.vectors.append((await self.model.embed(texts)).vectors)
        except InvalidInput as error:
            if len(texts) == 1:
                self.refusals.append(error.message)
                if len(self.refusals) >= MOST_ALIKE and self.refuses_all():
                    raise self.problem() from error
                return
            half = len(texts) // 2
            await self.give(texts[:half])
            await self.give(texts[half:])

    def refuses_all(self) -> bool:
        return not self.vectors and alike(self.refusals)

    def problem(self) -> TerminalError:
        return refuses_everything(f"{self.model.name} {self.model.version}", self.refusals[0])


def alike(refusals: list[str]) -> bool:
    """Whether there are refusals, and all give the same reason; numbers in it may differ."""
    return len({_NUMBER.sub("", refusal) for refusal in refusals}) == 1


def refuses_everything(model: str, reason: str) -> TerminalError:
    """The error about a model that takes no text at all."""
    return TerminalError(
        f"The model {model} refuses every text: {reason[:300]}",
        code="embedder-refuses-all",
        remedy="No paper is marked as failed. Mend the model's settings, or name another model.",
    )

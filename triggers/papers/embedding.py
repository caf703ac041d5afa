"""Routes and a sweep that turn papers into vectors, and show by which models."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from orchestrators.papers.embedding import paper_enrich
from shared.papers.embedding import problems, refusals, swapping, versions
from shared.papers.embedding.models import ModelVersion, RefusedText
from shared.platform.cursors import OPENED
from shared.platform.durable import DurableClient, Nothing
from shared.platform.http import Accepted, Page, Pagination, Routes
from shared.platform.models import LazyModel
from shared.platform.sweeps import Sweep
from triggers.papers.callers import ENRICH

routes = Routes(tag="papers")
MODELS = "/api/papers/models"
INSTANCE = "papers-enrich"
ModelId = Annotated[int, Field(ge=1, le=32_767, description="of GET /api/papers/models")]


class Models(LazyModel):
    """The versions of models, the newest first."""

    models: list[ModelVersion]


class EnrichQuery(LazyModel):
    """Which papers are to be turned into vectors."""

    model_config = ConfigDict(extra="forbid")
    retry: bool = Field(
        default=False, description="Also those that a model refused, at once, and as often as for the first time"
    )


class RefusedQuery(LazyModel):
    """Which refused texts to list."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=50, ge=1, le=100, description="Most texts of one page")
    cursor: Annotated[UUID, OPENED] | None = Field(default=None, description="`pagination.next` of the page before")


@routes.post("/api/papers/enrich", needs=ENRICH, summary="Turn papers into vectors")
async def papers_enrich(query: EnrichQuery, client: DurableClient) -> Accepted:
    """What has no vector gets one. This happens every minute by itself; who does not want to wait starts it."""
    if query.retry:
        await refusals.ask_again()
    await problems.ask_now()  # a run that is ending takes no notice; the sweep starts another
    await _start(client)
    return Accepted(id=INSTANCE, location=MODELS)


@routes.get(MODELS, needs=ENRICH, summary="The models whose vectors there are, and how far they are")
async def papers_list_models() -> Models:
    return Models(models=await versions.every())


@routes.get("/api/papers/models/{model_id}/refused", needs=ENRICH, summary="The texts that a model refused, and why")
async def papers_list_refused(model_id: ModelId, query: RefusedQuery) -> Page[RefusedText]:
    """A refused text is asked again after 1, 10 and 60 minutes; then it is `failed`."""
    await versions.find(model_id)
    refused = await refusals.of_model(model_id, query.limit + 1, query.cursor)
    page = refused[: query.limit]
    following = str(page[-1].paper_id) if len(refused) > query.limit else None
    return Page(data=page, pagination=Pagination(limit=query.limit, next=following))


@routes.post("/api/papers/models/release", needs=ENRICH, summary="Search the model that is held back, as it is")
async def papers_release_model() -> Models:
    """Papers that have no vector of it are found by their words alone."""
    await swapping.release()
    return Models(models=await versions.every())


@routes.post("/api/papers/models/roll-back", needs=ENRICH, summary="Search the vectors of the model before again")
async def papers_roll_back() -> Models:
    """At once; once more goes forth again. Papers that came since get their vector of it by the next minutes."""
    await swapping.roll_back()
    return Models(models=await versions.every())


async def _due(_: DurableClient) -> bool:
    return await versions.anything_to_do()


async def _start(client: DurableClient) -> None:
    await client.start_if_idle(paper_enrich, Nothing(), instance_id=INSTANCE)


sweep = Sweep("papers-vectors", due=_due, run=_start)

"""Routes and a sweep that turn papers into vectors, and show by which models."""

from __future__ import annotations

import logging

from orchestrators.papers.embedding import paper_enrich
from shared.papers.embedding import versions
from shared.papers.embedding.models import ModelVersion
from shared.platform.access.api_keys import ApiKey
from shared.platform.durable import DurableClient, Nothing
from shared.platform.errors import Conflict
from shared.platform.http import Accepted, Routes
from shared.platform.models import LazyModel
from shared.platform.sweeps import Sweep

logger = logging.getLogger(__name__)
routes = Routes(tag="papers")
ENRICH = ApiKey("papers:enrich")
INSTANCE = "papers-enrich"


class Models(LazyModel):
    """The versions of models, the newest first."""

    models: list[ModelVersion]


@routes.post("/api/papers/enrich", needs=ENRICH, summary="Turn papers into vectors")
async def papers_enrich(client: DurableClient) -> Accepted:
    """What has no vector gets one. This happens every minute by itself; who does not want to wait starts it."""
    await _start(client)
    return Accepted(id=INSTANCE, location="/api/papers/models")


@routes.get("/api/papers/models", needs=ENRICH, summary="The models whose vectors there are, and how far they are")
async def papers_list_models() -> Models:
    return Models(models=await versions.every())


@routes.post("/api/papers/models/roll-back", needs=ENRICH, summary="Search the vectors of the model before again")
async def papers_roll_back() -> Models:
    """At once. Papers that came since the change get their vector of it by the next minutes."""
    await versions.roll_back()
    return Models(models=await versions.every())


async def _due(_: DurableClient) -> bool:
    return await versions.anything_to_do()


async def _start(client: DurableClient) -> None:
    try:
        await client.start(paper_enrich, Nothing(), instance_id=INSTANCE)
    except Conflict:
        logger.info("The vectors are being computed already.")


sweep = Sweep("papers-vectors", due=_due, run=_start)

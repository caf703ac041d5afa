"""One side effect each of embedding papers; every one may be delivered twice and changes nothing the second time."""

from __future__ import annotations

from shared.papers.embedding import batches, centre, comparing, index, versions
from shared.papers.embedding.embedding import embed_box
from shared.papers.embedding.models import BoxEmbedded, EmbedShare, Indexed, ModelVersion, Prepared, Swap
from shared.papers.maps import outgrown
from shared.platform.durable import ONCE, Nothing, RetryPolicy, activity

PATIENT = RetryPolicy(attempts=8)
"""A model that asks us to wait does so for minutes."""


@activity(retry=PATIENT)
async def prepare_models(nothing: Nothing) -> Prepared:  # noqa: ARG001 - an activity takes one model
    """See that there is a table for the model that the settings name, and a centre of its vectors."""
    found = await versions.ensure()
    for version in found:
        await centre.settle(version)
    return Prepared(versions=[one.model_copy(update={"batches": await batches.wanted(one)}) for one in found])


@activity(retry=PATIENT)
async def embed_papers(share: EmbedShare) -> BoxEmbedded:
    """Embed papers that have no vector, for one time box."""
    return await embed_box(share)


@activity(retry=PATIENT)
async def embed_in_batches(share: EmbedShare) -> BoxEmbedded:
    """Fetch what a service has embedded in its own time, and give it more."""
    return await batches.work(share)


@activity(retry=ONCE)
async def index_papers(version: ModelVersion) -> Indexed:
    """Build the index of nearest neighbours, where there are enough vectors and it fits."""
    return await index.build(version)


@activity
async def swap_models(version: ModelVersion) -> Swap:
    """Let a version that is complete be searched, and note how much it agrees with the one before."""
    before = await versions.current()
    agreement = await comparing.overlap(version, before) if before else 1.0
    swapped = await versions.swap(version.model_id, agreement)
    await outgrown.check()  # a map of other vectors than those that are searched takes no more papers
    return Swap(swapped=swapped)

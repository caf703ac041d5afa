"""One side effect each of embedding papers; every one may be delivered twice and changes nothing the second time."""

from __future__ import annotations

from shared.papers.embedding import batches, centre, comparing, index, problems, swapping, versions
from shared.papers.embedding.embedding import embed_box
from shared.papers.embedding.models import BoxEmbedded, EmbedShare, Indexed, ModelVersion, Prepared, Swap
from shared.papers.maps import outgrown
from shared.papers.reporting import alerts
from shared.platform.durable import ONCE, Nothing, RetryPolicy, activity
from shared.platform.errors import TerminalError, TransientError

PATIENT = RetryPolicy(attempts=8)
"""A model that asks us to wait does so for minutes."""


@activity(retry=PATIENT)
async def prepare_models(nothing: Nothing) -> Prepared:  # noqa: ARG001 - an activity takes one model
    """See that there is a table for the model that the settings name, and a centre of the vectors of each version.

    A version whose model does not work is left out, so that it holds up no other.
    """
    ready: list[ModelVersion] = []
    failure: TransientError | TerminalError | None = None
    for version in await versions.ensure():
        try:
            async with problems.noted(version):
                await centre.settle(version)
        except (TransientError, TerminalError) as error:
            failure = failure or error
        else:
            ready.append(version.model_copy(update={"batches": await batches.due(version)}))
    if failure and not ready:
        raise failure
    return Prepared(versions=ready)


@activity(retry=PATIENT)
async def embed_papers(share: EmbedShare) -> BoxEmbedded:
    """Embed papers that have no vector, for one time box."""
    return await _mailed(share, await embed_box(share))


@activity(retry=PATIENT)
async def embed_in_batches(share: EmbedShare) -> BoxEmbedded:
    """Fetch what a service has embedded in its own time, and give it more."""
    return await _mailed(share, await batches.work(share))


@activity(retry=ONCE)
async def index_papers(version: ModelVersion) -> Indexed:
    """Build the index of nearest neighbours, where there are enough vectors and it fits."""
    return await index.build(version)


@activity
async def swap_models(version: ModelVersion) -> Swap:
    """Let a version that is complete be searched, or hold it and mail why; note its likeness to the one before."""
    before = await versions.current()
    agreement = await comparing.overlap(version, before) if before else None
    swap = await swapping.swap(version.model_id, agreement)
    if swap.held_because:
        await alerts.alert_model_held(version.label, swap.held_because)
    await outgrown.check()  # a map of other vectors than those that are searched takes no more papers
    return swap


async def _mailed(share: EmbedShare, box: BoxEmbedded) -> BoxEmbedded:
    if box.failed:
        version = await versions.find(share.model_id)
        await alerts.alert_vectors_failed(version.model_id, version.label, box.failed)
    return box

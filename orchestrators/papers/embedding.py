"""The order of embedding: what is missing, by several workers at once; an index; a new model in the old one's place."""

from __future__ import annotations

from activities.papers.embedding import embed_in_batches, embed_papers, index_papers, prepare_models, swap_models
from shared.papers.embedding.models import BoxEmbedded, EmbedShare, EnrichSummary, ModelVersion
from shared.papers.models import MOST_BOXES
from shared.platform.durable import Context, Nothing, Steps, call, fan_out, orchestration, progress, repeat
from shared.platform.errors import TerminalError

WORKERS = 4


@orchestration
def paper_enrich(context: Context, nothing: Nothing) -> Steps[EnrichSummary]:
    """Complete the vectors of the versions in use. One of these works at a time."""
    progress(context, "preparing")
    prepared = yield from call(context, prepare_models, nothing)
    summary, failure = EnrichSummary(), None
    for version in prepared.versions:
        try:
            done = yield from _complete(context, version)
        except TerminalError as error:  # its model does not work, and that of another version may
            failure = failure or error
            continue
        summary = EnrichSummary(
            embedded=summary.embedded + sum(box.embedded for box in done),
            failed=summary.failed + sum(box.failed for box in done),
            swapped=summary.swapped,
        )
        if not version.indexed:
            progress(context, f"indexing {version.label}")
            yield from call(context, index_papers, version)
        if version.state == "building":
            progress(context, f"comparing {version.label} with the version that is searched")
            swap = yield from call(context, swap_models, version)
            summary = summary.model_copy(update={"swapped": swap.swapped})
    if failure:
        raise failure
    return summary


@orchestration
def embed_share(context: Context, share: EmbedShare) -> Steps[BoxEmbedded]:
    """Embed papers until none is left, one time box after the other; the sum of the boxes."""
    total = BoxEmbedded(embedded=0, failed=0, done=False)

    def show(box: BoxEmbedded) -> None:
        nonlocal total
        total = BoxEmbedded(embedded=total.embedded + box.embedded, failed=total.failed + box.failed, done=box.done)
        progress(context, "embedding", done=total.embedded, unit="papers")

    yield from repeat(context, embed_papers, share, until=lambda box: box.done, show=show, boxes=MOST_BOXES)
    return total


def _complete(context: Context, version: ModelVersion) -> Steps[list[BoxEmbedded]]:
    progress(context, f"embedding by {version.label}", total=version.waiting, unit="papers")
    share = EmbedShare(model_id=version.model_id, embedder=version.name)
    boxes: list[BoxEmbedded] = []
    if version.batches:
        boxes.append((yield from call(context, embed_in_batches, share)))
    outcomes = yield from fan_out(context, embed_share, [share] * WORKERS)
    return [*boxes, *(outcome.result() for outcome in outcomes)]

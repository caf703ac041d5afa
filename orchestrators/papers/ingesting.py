"""The order of taking a file in: cut, read its parts at once, judge, merge, and embed what has come."""

from __future__ import annotations

from activities.papers.ingesting import (
    end_ingest,
    judge_ingest,
    merge_papers,
    plan_ingest,
    read_papers,
    write_rejects,
)
from orchestrators.papers.embedding import paper_enrich
from shared.papers.models import (
    MOST_BOXES,
    EndIngest,
    IngestRef,
    IngestState,
    IngestSummary,
    Merged,
    PartRead,
    ReadPart,
)
from shared.platform.durable import Context, Nothing, Steps, call, fan_out, orchestration, progress, repeat
from shared.platform.errors import TerminalError


@orchestration
def paper_ingest(context: Context, ingest: IngestRef) -> Steps[IngestSummary]:
    """Take a file in, from wherever it stands. The ingest's row tells how it ended."""
    progress(context, "planning")
    try:
        plan = yield from call(context, plan_ingest, ingest)
        if plan.ended:
            progress(context, "nothing is left to do")
            return IngestSummary(ended_before=True)
        return (yield from _read_and_judge(context, ingest, plan.parts))
    except TerminalError as error:
        failed = EndIngest(ingest_id=ingest.ingest_id, state=IngestState.FAILED, error=str(error)[:1000])
        yield from call(context, end_ingest, failed)
        raise


@orchestration
def read_part(context: Context, task: ReadPart) -> Steps[PartRead]:
    """Read a part to its end, one time box after the other."""
    return (yield from repeat(context, read_papers, task, until=lambda read: read.done, boxes=MOST_BOXES))


def _read_and_judge(context: Context, ingest: IngestRef, parts: int) -> Steps[IngestSummary]:
    def show(done: int) -> None:
        progress(context, "reading", done=done, total=parts, unit="parts")

    show(0)
    tasks = [ReadPart(ingest_id=ingest.ingest_id, part=part) for part in range(parts)]
    for outcome in (yield from fan_out(context, read_part, tasks, on_done=show)):
        outcome.result()
    progress(context, "judging")
    verdict = yield from call(context, judge_ingest, ingest)
    if verdict.rejected:
        yield from call(context, write_rejects, ingest)
    if verdict.held_because:
        progress(context, "held", reasons=verdict.held_because)
        return IngestSummary(rejected=verdict.rejected, held_because=verdict.held_because)
    return (yield from _merge(context, ingest))


def _merge(context: Context, ingest: IngestRef) -> Steps[IngestSummary]:
    total = Merged(added=0, changed=0, unchanged=0, done=False)

    def show(box: Merged) -> None:
        nonlocal total
        total = total.plus(box)
        progress(context, "merging", done=total.added + total.changed + total.unchanged, unit="papers")

    yield from repeat(context, merge_papers, ingest, until=lambda box: box.done, show=show, boxes=MOST_BOXES)
    end = EndIngest(ingest_id=ingest.ingest_id, state=IngestState.COMPLETED)
    if (yield from call(context, end_ingest, end)).embed:
        progress(context, "embedding")
        # Should it fail the papers are in all the same, and the minute timer's sweep embeds them.
        yield from fan_out(context, paper_enrich, [Nothing()])
    return IngestSummary(added=total.added, changed=total.changed, unchanged=total.unchanged)

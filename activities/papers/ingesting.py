"""One side effect each of taking a file in; every one may be delivered twice and changes nothing the second time."""

from __future__ import annotations

from shared.papers.embedding.versions import nobody_embeds
from shared.papers.ingesting import ingests
from shared.papers.ingesting.judging import judge
from shared.papers.ingesting.merging import merge
from shared.papers.ingesting.plan import plan
from shared.papers.ingesting.staging import read_part
from shared.papers.models import (
    Ended,
    EndIngest,
    IngestPlan,
    IngestRef,
    IngestState,
    Merged,
    PartRead,
    ReadPart,
    Verdict,
)
from shared.papers.reporting import alerts
from shared.platform.durable import Nothing, activity


@activity
async def plan_ingest(ingest: IngestRef) -> IngestPlan:
    """Look at the file and cut it into parts."""
    return await plan(ingest)


@activity
async def read_papers(task: ReadPart) -> PartRead:
    """Stage a part's records from its mark on, for one time box."""
    return await read_part(task)


@activity
async def judge_ingest(ingest: IngestRef) -> Verdict:
    """Let the file be merged, or hold it and tell a person."""
    verdict = await judge(ingest)
    if verdict.held_because:
        await alerts.alert_held(await ingests.find(ingest.ingest_id))
    return verdict


@activity
async def write_rejects(ingest: IngestRef) -> Nothing:
    """Write the rejected records into a file."""
    await ingests.write_rejects(ingest)
    return Nothing()


@activity
async def merge_papers(ingest: IngestRef) -> Merged:
    """Merge staged records into the papers, for one time box."""
    return await merge(ingest)


@activity
async def end_ingest(task: EndIngest) -> Ended:
    """Note how the ingest ended, tell a person of a file that failed, and drop what it leaves behind."""
    await ingests.end(task)
    if task.state is IngestState.FAILED:
        await alerts.alert_failed(await ingests.find(task.ingest_id))
    return Ended(embed=await nobody_embeds())

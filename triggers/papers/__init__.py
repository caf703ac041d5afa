"""Papers: from files of records to search that is never short and never silently approximate."""

from __future__ import annotations

from shared.papers.embedding.pgvector import PROBE
from shared.papers.reporting import alerts
from shared.papers.settings import PaperSettings
from shared.platform.workload import Workload
from triggers.papers import arrivals, browsing, embedding, ingesting, mapping, searching

papers = Workload(
    name="papers",
    routes=(ingesting.routes, embedding.routes, searching.routes, mapping.routes, browsing.routes),
    functions=(arrivals.functions,),
    queues=(arrivals.PAPERS,),
    settings=PaperSettings,
    probes=(PROBE,),
    alerts=alerts.KINDS,
    sweeps=(ingesting.sweep, embedding.sweep, mapping.sweep),
)

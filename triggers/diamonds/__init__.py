"""Diamonds: reads the suppliers' feeds, prices every diamond, and serves what is on offer."""

from __future__ import annotations

from shared.diamonds.reporting import alerts
from shared.diamonds.runs import reports, watermark
from shared.diamonds.settings import DiamondSettings
from shared.platform.workload import Workload
from triggers.diamonds import failed_rows, figures, offer, pricing, run_control, runs, trades, upkeep

diamonds = Workload(
    name="diamonds",
    routes=(
        runs.routes,
        run_control.routes,
        figures.routes,
        failed_rows.routes,
        offer.routes,
        trades.routes,
        pricing.routes,
    ),
    functions=(runs.timers, run_control.queues, upkeep.timers),
    queues=(run_control.CONSOLIDATE,),
    settings=DiamondSettings,
    probes=(watermark.PROBE,),
    alerts=alerts.KINDS,
    status=(reports.STATUS,),
)

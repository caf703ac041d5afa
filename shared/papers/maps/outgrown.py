"""Tells a person when the papers have outgrown their map."""

from __future__ import annotations

from shared.papers.maps import versions
from shared.papers.reporting import alerts
from shared.platform.errors import NotFound


async def check() -> None:
    """Mail once a day while another fit of the current map is due; without a map nothing is."""
    try:
        current = await versions.current()
    except NotFound:
        return
    if current.drift.due:
        await alerts.alert_outgrown(current.version, current.drift.because)

"""Sweeps: what a workload does every minute while something of it is under way, and only then.

All sweeps share one timer, since in Azure each execution of a timer is billed, however little it does. So that an idle
app stays cheap, a sweep begins with one cheap question, and does nothing when the answer is no.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from shared.platform.durable import DurableClient

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a workload mends by itself: work that a queue or a host has lost.

    Attributes:
        due: whether anything is under way that the sweep could find lost; one or two small reads.
        run: look for it and mend it; may be repeated, and may run beside itself.
    """

    name: str
    due: Callable[[DurableClient], Awaitable[bool]]
    run: Callable[[DurableClient], Awaitable[None]]


async def run_due(sweeps: Sequence[Sweep], client: DurableClient) -> list[str]:
    """Run the sweeps that are due, all at once; their names. One that fails does not keep the others from being done.

    A question that cannot be answered is taken for a yes: the sweep has its own way to tell what it cannot reach.
    """
    ran = await asyncio.gather(*(_run(sweep, client) for sweep in sweeps))
    return [sweep.name for sweep, did in zip(sweeps, ran, strict=True) if did]


async def _run(sweep: Sweep, client: DurableClient) -> bool:
    try:
        if not await sweep.due(client):
            return False
    except Exception as error:  # noqa: BLE001 - whatever a store raises, the sweep itself is the better judge of it
        logger.warning("A sweep was run without knowing whether it is due: %s", error, extra={"sweep": sweep.name})
    try:
        await sweep.run(client)
    except Exception:
        logger.exception("A sweep failed; the next minute tries again.", extra={"sweep": sweep.name})
    return True

"""A host that does nothing but sweep, until it is killed. It says that it is ready."""

import asyncio

from activities.followups import sending as steps
from shared.followups.steps import ClaimBatch
from shared.platform.stores.postgres import close_pools


async def sweep_for_ever() -> None:
    print("ready to sweep", flush=True)
    try:
        while True:
            for claim in (await steps.claim_followups(ClaimBatch())).claims:
                if (await steps.compose_followup(claim)).ready:
                    await steps.hand_over_followup(claim)
            await asyncio.sleep(0.05)
    finally:
        await close_pools()


asyncio.run(sweep_for_ever())

"""Re-pricing of a feed after its rules were changed, one time box after the other."""

from __future__ import annotations

from activities.diamonds.pricing import begin_repricing, give_up_repricing, reprice_batches
from shared.diamonds.models import ERROR_LENGTH
from shared.diamonds.pricing.models import EndRepricing, RepriceFeed, Repricing, RepricingRef
from shared.platform.durable import Context, Steps, call, orchestration, progress, repeat
from shared.platform.errors import TerminalError


def repricing_instance(feed: str) -> str:
    """The instance id of the re-pricing of a feed: one at a time. It may run beside a run of the feed."""
    return f"reprice-{feed}"


@orchestration
def reprice_diamonds(context: Context, request: RepriceFeed) -> Steps[Repricing]:
    """Give every diamond of the feed the price of today's rules; if they change meanwhile, begin again with the new."""

    def show(now: Repricing) -> None:
        progress(
            context,
            "re-pricing",
            done=now.looked_at,
            total=now.total,
            unit="diamonds",
            changed=now.changed,
            restarts=now.restarts,
        )

    progress(context, "planning")
    show((yield from call(context, begin_repricing, request)))
    task = RepricingRef(repricing_id=request.repricing_id)
    try:
        return (
            yield from repeat(context, reprice_batches, task, until=lambda now: now.status == "completed", show=show)
        )
    except TerminalError as error:
        failed = EndRepricing(repricing_id=request.repricing_id, error=f"{error.message} ({error.code})"[:ERROR_LENGTH])
        yield from call(context, give_up_repricing, failed)
        raise

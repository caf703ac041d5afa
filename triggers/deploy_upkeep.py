"""When what is kept no longer of deployments is forgotten: every night."""

import logging
from typing import Any

import azure.functions as func

from orchestrators.deploy_upkeep import forget_deployments
from shared.deploys.steps import Nothing
from shared.platform.durable import DurableClient, new_blueprint
from shared.platform.errors import Conflict

logger = logging.getLogger(__name__)
timers = new_blueprint()
orchestrations = (forget_deployments,)


@timers.timer_trigger(schedule="0 30 4 * * *", arg_name="timer", run_on_startup=False)
@timers.durable_client_input(client_name="client")
async def deploys_purge(timer: func.TimerRequest, client: Any) -> None:
    """Every night at 04:30."""
    try:
        await DurableClient(client).start(forget_deployments, Nothing(), singleton="deploys-purge")
    except Conflict:
        logger.warning("The last purge of deployments has not ended.", extra={"past_due": timer.past_due})

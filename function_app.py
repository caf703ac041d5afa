"""The app: what the Functions host loads. It only registers what the doors and orchestrations declare."""

from activities import deploys as deploy_activities
from activities import diamond_pricing as pricing_activities
from activities import diamond_upkeep as upkeep_activities
from activities import diamonds as diamond_activities
from shared.platform.durable import blueprint, fan_out_chunk, new_app
from shared.platform.http import register
from triggers import (
    console,
    deploy_queue,
    deploy_upkeep,
    deploys,
    diamond_api,
    diamond_failed_rows,
    diamond_operations,
    diamond_pricing,
    diamond_upkeep,
    diamonds,
    health,
    ops,
    queues,
)
from triggers.docs import documentation

doors = (
    health.routes,
    ops.routes,
    queues.routes,
    console.routes,
    diamonds.routes,
    diamond_operations.routes,
    diamond_failed_rows.routes,
    diamond_api.routes,
    diamond_pricing.routes,
    deploys.routes,
)
app = new_app()
register(app, *doors, documentation(*doors, version="1.0.0"))
for functions in (
    blueprint(
        fan_out_chunk,
        *diamonds.orchestrations,
        *diamond_failed_rows.orchestrations,
        *diamond_activities.activities,
        *diamond_pricing.orchestrations,
        *pricing_activities.activities,
        *diamond_upkeep.orchestrations,
        *upkeep_activities.activities,
        *deploy_queue.orchestrations,
        *deploy_upkeep.orchestrations,
        *deploy_activities.activities,
        deploy_activities.deploy_slots,
    ),
    diamonds.timers,
    diamond_operations.queues,
    diamond_upkeep.timers,
    deploy_queue.functions,
    deploy_upkeep.timers,
):
    app.register_functions(functions)

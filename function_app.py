"""The app: what the Functions host loads. It only registers what the doors and orchestrations declare."""

from activities import diamonds as diamond_activities
from shared.platform.durable import blueprint, fan_out_chunk, new_app
from shared.platform.http import register
from triggers import console, diamond_api, diamonds, health, ops
from triggers.docs import documentation

doors = (health.routes, ops.routes, console.routes, diamonds.routes, diamond_api.routes)
app = new_app()
register(app, *doors, documentation(*doors, version="1.0.0"))
for functions in (
    blueprint(fan_out_chunk, *diamonds.orchestrations, *diamond_activities.activities),
    diamonds.timers_and_queues,
):
    app.register_functions(functions)

"""What Azure's resource manager tells about a namespace's queues: their message counts, as JSON over HTTP.

Only the list is served; queues come from the stand-in's settings. Shapes: "Queues -
List By Namespace" of the API version 2024-01-01.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.servicebus.queues.broker import Broker
from local.servicebus.queues.queue import Queue
from local.servicebus.queues.settings import NAMESPACE

API_VERSION = "2024-01-01"


def managed_queues(broker: Broker) -> Route:
    """The route that lists the queues."""

    # A coroutine, to stay on the one thread that may use the queues' file.
    async def listed(request: Request) -> Response:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return _refused(401, "AuthenticationFailed", "The 'Authorization' header is missing.")
        if request.query_params.get("api-version") != API_VERSION:
            return _refused(400, "NoRegisteredProviderFound", f"The supported api-versions are '{API_VERSION}'.")
        return JSONResponse({"value": [_view(queue) for queue in broker.queues.values()]})

    return Route(f"{NAMESPACE}/queues", listed)


def _view(queue: Queue) -> dict[str, Any]:
    counts = queue.counts()
    return {
        "id": f"{NAMESPACE}/queues/{queue.name}",
        "name": queue.name,
        "type": "Microsoft.ServiceBus/namespaces/queues",
        "properties": {
            "status": "Active",
            "sizeInBytes": counts.size,
            "messageCount": counts.total,
            "countDetails": {
                "activeMessageCount": counts.active,
                "deadLetterMessageCount": counts.dead_letter,
                "scheduledMessageCount": counts.scheduled,
                "transferMessageCount": 0,
                "transferDeadLetterMessageCount": 0,
            },
        },
    }


def _refused(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)

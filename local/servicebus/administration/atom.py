"""The administration API: queues with their settings and message counts, as Atom XML over HTTP.

It answers `get_queue`, `get_queue_runtime_properties` and `list_queues` of azure-servicebus's
ServiceBusAdministrationClient. That client always says https: give it a transport that replaces the scheme (see the
tests), as for Microsoft's emulator, which serves the same API by HTTP on port 5300. It only reads: queues come from the
stand-in's settings. Shapes: "Service Bus REST: Get entity" and the client's own model.
"""

from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from local.servicebus.administration.resource_manager import managed_queues
from local.servicebus.amqp.links import MAX_MESSAGE
from local.servicebus.queues.broker import Broker
from local.servicebus.queues.queue import Queue
from local.servicebus.queues.settings import duration_text

_ATOM = "{http://www.w3.org/2005/Atom}"
_CONNECT = "{http://schemas.microsoft.com/netservices/2010/10/servicebus/connect}"
_COUNTS = "{http://schemas.microsoft.com/netservices/2011/06/servicebus}"
_FOREVER = "P10675199DT2H48M5.4775807S"
_DEFAULT_WINDOW = "PT10M"


def administration(broker: Broker) -> Starlette:
    """The ASGI app of the administration API, and of what the resource manager tells."""
    # The handlers are coroutines to stay on the one thread that may use the queues' file.

    async def one(request: Request) -> Response:
        name: str = request.path_params["name"]
        queue = broker.queues.get(name.lower())
        if queue is None:
            # Azure answers an unknown entity with an empty feed, which the client turns into ResourceNotFoundError.
            return _xml(_feed([]))
        return _xml(_entry(queue, _now()))

    async def many(request: Request) -> Response:
        try:
            skip, top = (
                int(request.query_params.get(name, default)) for name, default in (("$skip", 0), ("$top", 100))
            )
        except ValueError:
            return PlainTextResponse("$skip and $top are whole numbers.", 400)
        return _xml(_feed(list(broker.queues.values())[skip : skip + top]))

    return Starlette(routes=[managed_queues(broker), Route("/$Resources/queues", many), Route("/{name:path}", one)])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _xml(root: Element) -> Response:
    return Response(tostring(root, encoding="utf-8", xml_declaration=True), media_type="application/atom+xml")


def _feed(queues: list[Queue]) -> Element:
    now = _now()
    feed = Element(f"{_ATOM}feed")
    _text(feed, f"{_ATOM}title", "Queues")
    _text(feed, f"{_ATOM}updated", now)
    feed.extend(_entry(queue, now) for queue in queues)
    return feed


def _entry(queue: Queue, now: str) -> Element:
    settings, counts = queue.settings, queue.counts()
    entry = Element(f"{_ATOM}entry")
    _text(entry, f"{_ATOM}title", queue.name)
    _text(entry, f"{_ATOM}updated", now)
    content = SubElement(entry, f"{_ATOM}content", {"type": "application/xml"})
    description = SubElement(content, f"{_CONNECT}QueueDescription")
    window, life = settings.duplicate_window, settings.time_to_live
    values = {
        "LockDuration": duration_text(settings.lock_duration),
        "RequiresDuplicateDetection": _bool(window is not None),
        "RequiresSession": "false",
        "DefaultMessageTimeToLive": _FOREVER if life is None else duration_text(life),
        "DeadLetteringOnMessageExpiration": _bool(settings.dead_letter_expired),
        "DuplicateDetectionHistoryTimeWindow": _DEFAULT_WINDOW if window is None else duration_text(window),
        "MaxDeliveryCount": str(settings.max_delivery_count),
        "SizeInBytes": str(counts.size),
        "MessageCount": str(counts.total),
        "Status": "Active",
        "AccessedAt": now,
        "MaxMessageSizeInKilobytes": str(MAX_MESSAGE // 1024),
    }
    for name, value in values.items():
        _text(description, f"{_CONNECT}{name}", value)
    details = SubElement(description, f"{_CONNECT}CountDetails")
    _text(details, f"{_COUNTS}ActiveMessageCount", str(counts.active))
    _text(details, f"{_COUNTS}DeadLetterMessageCount", str(counts.dead_letter))
    _text(details, f"{_COUNTS}ScheduledMessageCount", str(counts.scheduled))
    _text(details, f"{_COUNTS}TransferMessageCount", "0")
    _text(details, f"{_COUNTS}TransferDeadLetterMessageCount", "0")
    return entry


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text


def _bool(value: bool) -> str:
    return "true" if value else "false"

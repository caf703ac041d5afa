"""Service Bus messages as the extension hands them to a function: body and metadata, one or a batch."""

import json
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from azure.functions import meta
from azure.servicebus import ServiceBusReceivedMessage

from local.host.core.functions import Function
from local.host.worker.calls import Call
from local.host.worker.messages import body_datum, metadata_data, with_json_of


def message_call(function: Function, message: ServiceBusReceivedMessage) -> Call:
    """What the function is given for one message."""
    metadata = message_metadata(message)
    value = body_datum(function, function.trigger, message_body(message))
    merged = with_json_of(value.value, metadata, function) if isinstance(value.value, str) else metadata
    return Call("(null)", value, metadata_data(merged), merged)


def batch_call(function: Function, messages: list[ServiceBusReceivedMessage]) -> Call:
    """What the function is given for a batch of messages."""
    bodies = [body_datum(function, function.trigger, message_body(one)) for one in messages]
    rows = [message_metadata(one) for one in messages]
    arrays = {f"{name}Array": [row[name] for row in rows] for name in rows[0]}
    kind = "bytes" if bodies[0].type == "bytes" else "string"
    values = SimpleNamespace(**{kind: [one.value for one in bodies]})
    return Call("(null)", meta.Datum(values, f"collection_{kind}"), metadata_data(arrays))


def manual_call(function: Function, text: str, reason: str) -> Call:
    """What a run by hand is given: a message with this body and no properties."""
    metadata: dict[str, Any] = {"DeliveryCount": 1, "MessageId": "", "ApplicationProperties": {}, "UserProperties": {}}
    if function.trigger.text("cardinality").lower() == "many":
        arrays = {f"{name}Array": [one] for name, one in metadata.items()}
        return Call(reason, meta.Datum(SimpleNamespace(string=[text]), "collection_string"), metadata_data(arrays))
    value = body_datum(function, function.trigger, text.encode())
    merged = with_json_of(text, metadata, function, warns=False)
    return Call(reason, value, metadata_data(merged), merged)


def message_body(message: ServiceBusReceivedMessage) -> bytes:
    """The bytes of a message; a body of another AMQP kind as its text."""
    body: Any = message.body
    if isinstance(body, (bytes, str)):
        return body.encode() if isinstance(body, str) else body
    try:
        return b"".join(cast("list[bytes]", list(body)))
    except TypeError:
        return json.dumps(body, default=str).encode()


def message_metadata(message: ServiceBusReceivedMessage) -> dict[str, Any]:
    """The trigger metadata of one message, under the names that the extension uses."""
    properties = {_text(key): _text(value) for key, value in (message.application_properties or {}).items()}
    return {
        "DeliveryCount": (message.delivery_count or 0) + 1,
        "DeadLetterSource": message.dead_letter_source,
        "LockToken": str(message.lock_token) if message.lock_token else None,
        "ExpiresAtUtc": _time(message.expires_at_utc),
        "EnqueuedTimeUtc": _time(message.enqueued_time_utc),
        "MessageId": message.message_id,
        "ContentType": message.content_type,
        "ReplyTo": message.reply_to,
        "SequenceNumber": message.sequence_number,
        "To": message.to,
        "Subject": message.subject,
        "Label": message.subject,
        "CorrelationId": message.correlation_id,
        "ApplicationProperties": properties,
        "UserProperties": properties,
        "SessionId": message.session_id,
        "ReplyToSessionId": message.reply_to_session_id,
        "PartitionKey": message.partition_key,
        "TransactionPartitionKey": None,
    }


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return _time(value) if isinstance(value, datetime) else value


def _time(value: datetime | None) -> str | None:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if value is not None else None

"""An AMQP message: its sections taken apart and put together again.

The body and the properties stay the bytes that the sender wrote. The header and the annotations are rewritten for every
delivery, since the broker owns parts of them: delivery count, sequence number, times, lock. Rules: part 3.2 of the AMQP
1.0 standard, and "AMQP 1.0 in Azure Service Bus protocol guide" for the names that start with `x-opt-`.
"""

from dataclasses import dataclass, field
from typing import Any

from local.servicebus.amqp.codec import (
    CodecError,
    Described,
    Int,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    decode,
    encode,
)
from local.servicebus.queues.rows import Delivery

HEADER, DELIVERY_ANNOTATIONS, ANNOTATIONS, PROPERTIES, APPLICATION_PROPERTIES, DATA, VALUE = (
    ULong(0x70),
    ULong(0x71),
    ULong(0x72),
    ULong(0x73),
    ULong(0x74),
    ULong(0x75),
    ULong(0x77),
)
SCHEDULED_ENQUEUE_TIME = Symbol("x-opt-scheduled-enqueue-time")
_MESSAGE_ID, _REPLY_TO, _ABSOLUTE_EXPIRY, _CREATION = 0, 4, 8, 9
_TTL_BEYOND_UINT = 2**32 - 1


@dataclass(slots=True)
class Message:
    """The sections of one message. `body` holds the encoded body sections and the footer, as sent."""

    header: list[Any] = field(default_factory=list[Any])
    annotations: dict[Any, Any] = field(default_factory=dict[Any, Any])
    properties: list[Any] = field(default_factory=list[Any])
    properties_raw: bytes = b""
    application_properties: dict[Any, Any] = field(default_factory=dict[Any, Any])
    body: bytes = b""

    @classmethod
    def parse(cls, payload: bytes) -> "Message":
        """Take an encoded message apart.

        Raises:
            CodecError: the bytes are no AMQP message.
        """
        message = cls()
        offset = 0
        while offset < len(payload):
            start = offset
            section, offset = decode(payload, offset)
            if not isinstance(section, Described):
                raise CodecError("A message consists of described sections.")
            if section.descriptor == HEADER:
                message.header = list(section.value)
            elif section.descriptor == ANNOTATIONS:
                message.annotations = dict(section.value)
            elif section.descriptor == PROPERTIES:
                message.properties = list(section.value)
                message.properties_raw = payload[start:offset]
            elif section.descriptor == APPLICATION_PROPERTIES:
                message.application_properties = dict(section.value)
            elif section.descriptor != DELIVERY_ANNOTATIONS:
                message.body += payload[start:offset]
        return message

    @property
    def message_id(self) -> Any:
        return _at(self.properties, _MESSAGE_ID)

    @property
    def reply_to(self) -> str | None:
        return _at(self.properties, _REPLY_TO)

    @property
    def duplicate_key(self) -> str | None:
        """The message id as text with its type (the string "1" and the number 1 are two ids); None without an id."""
        return None if self.message_id is None else f"{type(self.message_id).__name__}:{self.message_id}"

    @property
    def time_to_live(self) -> int | None:
        """Milliseconds. More than 49 days do not fit the header: then two times among the properties say it."""
        header = _at(self.header, 2)
        expiry, creation = _at(self.properties, _ABSOLUTE_EXPIRY), _at(self.properties, _CREATION)
        if header == _TTL_BEYOND_UINT and expiry is not None and creation is not None:
            return int(expiry) - int(creation)
        return None if header is None else int(header)

    @property
    def scheduled_for(self) -> int | None:
        """Milliseconds since 1970, or None."""
        due = self.annotations.get(SCHEDULED_ENQUEUE_TIME)
        return None if due is None else int(due)

    def value(self) -> Any:
        """The value in the body of a request to a node.

        Raises:
            CodecError: the body is not one AMQP value.
        """
        section, _ = decode(self.body)
        if not isinstance(section, Described) or section.descriptor != VALUE:
            raise CodecError("The body of a request is an AMQP value.")
        return section.value


def _at(fields: list[Any], index: int) -> Any:
    return fields[index] if index < len(fields) else None


def batch(payload: bytes) -> list[bytes]:
    """The encoded messages of a Service Bus batch: data sections, each one holding a message.

    Raises:
        CodecError: the bytes are no batch.
    """
    messages: list[bytes] = []
    offset = 0
    while offset < len(payload):
        section, offset = decode(payload, offset)
        if not isinstance(section, Described):
            raise CodecError("A batch consists of described sections.")
        if section.descriptor == DATA:
            messages.append(bytes(section.value))
    return messages


def encode_delivery(delivery: Delivery) -> bytes:
    """The message as a receiver gets it, with all that the broker says about it."""
    message = Message.parse(delivery.payload)
    durable, priority = _at(message.header, 0), _at(message.header, 1)
    ttl = None if delivery.expires_at is None else delivery.expires_at - delivery.enqueued_at
    header = [
        durable,
        None if priority is None else UByte(priority),
        None if ttl is None else UInt(min(ttl, _TTL_BEYOND_UINT)),
        None,
        UInt(delivery.delivery_count),
    ]
    annotations = message.annotations | {
        Symbol("x-opt-sequence-number"): delivery.sequence,
        Symbol("x-opt-enqueued-time"): Timestamp(delivery.enqueued_at),
        Symbol("x-opt-message-state"): Int(delivery.state),
    }
    annotations.pop(Symbol("x-opt-locked-until"), None)
    if delivery.locked_until is not None:
        annotations[Symbol("x-opt-locked-until")] = Timestamp(delivery.locked_until)
    properties = dict(message.application_properties)
    if delivery.dead_letter_reason is not None:
        properties["DeadLetterReason"] = delivery.dead_letter_reason
    if delivery.dead_letter_description is not None:
        properties["DeadLetterErrorDescription"] = delivery.dead_letter_description
    sections = [encode(Described(HEADER, header)), encode(Described(ANNOTATIONS, annotations)), message.properties_raw]
    if properties:
        sections.append(encode(Described(APPLICATION_PROPERTIES, properties)))
    return b"".join([*sections, message.body])


def encode_answer(correlation_id: Any, application_properties: dict[str, Any], value: Any) -> bytes:
    """The answer of a node to a request whose message id was `correlation_id`."""
    return b"".join(
        [
            encode(Described(PROPERTIES, [None] * 5 + [correlation_id])),
            encode(Described(APPLICATION_PROPERTIES, application_properties)),
            encode(Described(VALUE, value)),
        ]
    )

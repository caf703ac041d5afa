"""AMQP 1.0 frames and the performatives in them (parts 2 and 5.3 of the standard)."""

import struct
from asyncio import StreamReader
from typing import Any, NamedTuple

from local.servicebus.amqp.codec import CodecError, Described, Symbol, ULong, decode, encode

AMQP_HEADER, SASL_HEADER = b"AMQP\x00\x01\x00\x00", b"AMQP\x03\x01\x00\x00"
AMQP, SASL = 0, 1
MAX_FRAME = 65536
_HEAD = struct.Struct(">IBBH")
_DATA_OFFSET = 2


class ProtocolError(Exception):
    """The peer broke the protocol: the connection is closed with this condition."""

    def __init__(self, condition: str, description: str) -> None:
        super().__init__(description)
        self.condition = condition
        self.description = description


class Open(NamedTuple):
    container_id: str
    hostname: str | None = None
    max_frame_size: int | None = None
    channel_max: int | None = None
    idle_time_out: int | None = None
    outgoing_locales: Any = None
    incoming_locales: Any = None
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: Any = None


class Begin(NamedTuple):
    remote_channel: int | None
    next_outgoing_id: int
    incoming_window: int
    outgoing_window: int
    handle_max: int | None = None
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: Any = None


class Attach(NamedTuple):
    """`role` is True when the sender of the frame is the receiver of the link's messages."""

    name: str
    handle: int
    role: bool
    snd_settle_mode: int | None = None
    rcv_settle_mode: int | None = None
    source: Described | None = None
    target: Described | None = None
    unsettled: Any = None
    incomplete_unsettled: bool | None = None
    initial_delivery_count: int | None = None
    max_message_size: int | None = None
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: Any = None


class Flow(NamedTuple):
    next_incoming_id: int | None
    incoming_window: int
    next_outgoing_id: int
    outgoing_window: int
    handle: int | None = None
    delivery_count: int | None = None
    link_credit: int | None = None
    available: int | None = None
    drain: bool | None = None
    echo: bool | None = None
    properties: Any = None


class Transfer(NamedTuple):
    handle: int
    delivery_id: int | None = None
    delivery_tag: bytes | None = None
    message_format: int | None = None
    settled: bool | None = None
    more: bool | None = None
    rcv_settle_mode: int | None = None
    state: Described | None = None
    resume: bool | None = None
    aborted: bool | None = None
    batchable: bool | None = None


class Disposition(NamedTuple):
    """`role` is True when the sender of the frame is the receiver of the deliveries."""

    role: bool
    first: int
    last: int | None = None
    settled: bool | None = None
    state: Described | None = None
    batchable: bool | None = None


class Detach(NamedTuple):
    handle: int
    closed: bool | None = None
    error: Described | None = None


class End(NamedTuple):
    error: Described | None = None


class Close(NamedTuple):
    error: Described | None = None


class SaslMechanisms(NamedTuple):
    mechanisms: Any


class SaslInit(NamedTuple):
    mechanism: str
    initial_response: bytes | None = None
    hostname: str | None = None


class SaslOutcome(NamedTuple):
    code: int
    additional_data: bytes | None = None


Performative = (
    Open
    | Begin
    | Attach
    | Flow
    | Transfer
    | Disposition
    | Detach
    | End
    | Close
    | SaslMechanisms
    | SaslInit
    | SaslOutcome
)
_CLASSES: dict[int, type[Any]] = {
    0x10: Open,
    0x11: Begin,
    0x12: Attach,
    0x13: Flow,
    0x14: Transfer,
    0x15: Disposition,
    0x16: Detach,
    0x17: End,
    0x18: Close,
    0x40: SaslMechanisms,
    0x41: SaslInit,
    0x44: SaslOutcome,
}
_CODES = {kind: code for code, kind in _CLASSES.items()}


class Frame(NamedTuple):
    kind: int
    channel: int
    performative: Performative | None
    payload: bytes


def error(condition: str, description: str) -> Described:
    """An AMQP error, for a frame or an outcome."""
    return Described(ULong(0x1D), [Symbol(condition), description, None])


def pack(channel: int, performative: Performative | None, payload: bytes = b"", kind: int = AMQP) -> bytes:
    """A frame; without a performative the empty frame that keeps a connection alive."""
    body = b""
    if performative is not None:
        body = encode(Described(_CODES[type(performative)], list(performative))) + payload
    return _HEAD.pack(_HEAD.size + len(body), _DATA_OFFSET, kind, channel) + body


async def read(reader: StreamReader) -> Frame:
    """The next frame.

    Raises:
        ProtocolError: it is larger than was agreed, or cannot be read.
        asyncio.IncompleteReadError: the connection ended.
    """
    size, data_offset, kind, channel = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    if not _HEAD.size <= data_offset * 4 <= size <= MAX_FRAME:
        raise ProtocolError("amqp:connection:framing-error", f"A frame has at most {MAX_FRAME} bytes here, not {size}.")
    body = (await reader.readexactly(size - _HEAD.size))[data_offset * 4 - _HEAD.size :]
    if not body:
        return Frame(kind, channel, None, b"")
    try:
        value, offset = decode(body)
        performative = _CLASSES[value.descriptor](*value.value)
    except (CodecError, AttributeError, KeyError, TypeError) as problem:
        raise ProtocolError("amqp:decode-error", f"The frame cannot be read: {problem}") from problem
    return Frame(kind, channel, performative, body[offset:])

"""One AMQP session: its links, and the window that limits how much goes out."""

import itertools
from collections import deque
from collections.abc import Callable
from typing import Protocol

from local.servicebus.amqp.codec import Described, UByte, UInt, ULong, UShort
from local.servicebus.amqp.frames import (
    Attach,
    Begin,
    Detach,
    Disposition,
    Flow,
    Performative,
    ProtocolError,
    Transfer,
    error,
)
from local.servicebus.amqp.links import ACCEPTED, MAX_MESSAGE, IncomingLink, OutgoingLink
from local.servicebus.amqp.management import CBS, MANAGEMENT, Authorizer, Manager
from local.servicebus.amqp.message import Message, batch, encode_answer
from local.servicebus.queues.dispatch import Dispatcher
from local.servicebus.queues.queue import Incoming, Queue

BATCH = 0x80013700
_WINDOW = UInt(2**31 - 1)
_HANDLE_MAX = 255
_FRAME_OVERHEAD = 512


class Transport(Protocol):
    """What a session needs of its connection."""

    @property
    def max_frame(self) -> int: ...

    @property
    def closing(self) -> bool:
        """Whether the client has disconnected, so that nothing reaches it any more."""
        ...

    def send(self, channel: int, performative: Performative, payload: bytes = b"") -> None: ...


class AttachError(Exception):
    """The link is refused with this condition."""

    def __init__(self, condition: str, description: str) -> None:
        super().__init__(description)
        self.error = error(condition, description)


class AmqpSession:
    def __init__(
        self, transport: Transport, channel: int, begin: Begin, dispatcher: Dispatcher, authorizer: Authorizer
    ) -> None:
        self._transport = transport
        self._channel = channel
        self._dispatcher = dispatcher
        self._authorizer = authorizer
        self._links: dict[int, IncomingLink | OutgoingLink] = {}
        self._delivery_ids = itertools.count()
        self._next_outgoing_id = 0
        self._next_incoming_id = begin.next_outgoing_id
        self._remote_window = begin.incoming_window
        self._outbox: deque[tuple[Transfer, bytes]] = deque()
        transport.send(
            channel,
            Begin(UShort(channel), UInt(0), _WINDOW, _WINDOW, UInt(min(begin.handle_max or _HANDLE_MAX, _HANDLE_MAX))),
        )

    # What the links call

    @property
    def blocked(self) -> bool:
        """Whether nothing more can go out now: the client's window is used up, or the client has disconnected."""
        return bool(self._outbox) or self._transport.closing

    def next_delivery_id(self) -> int:
        return next(self._delivery_ids)

    def transfer(self, first: Transfer, payload: bytes) -> None:
        """Send one message, in as many frames as it needs."""
        size = self._transport.max_frame - _FRAME_OVERHEAD
        parts = [payload[start : start + size] for start in range(0, len(payload), size)] or [b""]
        typed = first._replace(
            handle=UInt(first.handle),
            delivery_id=UInt(first.delivery_id or 0),
            message_format=UInt(first.message_format or 0),
        )
        for number, part in enumerate(parts, start=1):
            self._outbox.append((typed._replace(more=number < len(parts)), part))
        self._flush()

    def _flush(self) -> None:
        while self._outbox and self._remote_window > 0:
            self._remote_window -= 1
            self._next_outgoing_id += 1
            self._transport.send(self._channel, *self._outbox.popleft())

    def flow(self, handle: int, delivery_count: int, credit: int, *, drain: bool = False) -> None:
        link = (UInt(handle), UInt(delivery_count), UInt(credit), None, drain, False)
        self._transport.send(
            self._channel, Flow(UInt(self._next_incoming_id), _WINDOW, UInt(self._next_outgoing_id), _WINDOW, *link)
        )

    def disposition(self, disposition: Disposition) -> None:
        last = disposition.first if disposition.last is None else disposition.last
        self._transport.send(self._channel, disposition._replace(first=UInt(disposition.first), last=UInt(last)))

    # What the connection calls

    def on_attach(self, attach: Attach) -> None:
        if attach.handle in self._links:
            raise ProtocolError("amqp:session:handle-in-use", f"Handle {attach.handle} is attached already.")
        try:
            link = self._open(attach)
        except AttachError as refused:
            # The standard's way to refuse a link: it is attached without a terminus and detached with the reason.
            self._answer_attach(attach._replace(source=None, target=None))
            self._transport.send(self._channel, Detach(UInt(attach.handle), True, refused.error))
            return
        self._links[attach.handle] = link
        self._answer_attach(attach)
        if isinstance(link, IncomingLink):
            link.grant()

    def _answer_attach(self, attach: Attach) -> None:
        self._transport.send(
            self._channel,
            Attach(
                attach.name,
                UInt(attach.handle),
                not attach.role,
                UByte(attach.snd_settle_mode or 0),
                UByte(attach.rcv_settle_mode or 0),
                attach.source,
                attach.target,
                initial_delivery_count=UInt(0) if attach.role else None,
                max_message_size=ULong(MAX_MESSAGE),
            ),
        )

    def _open(self, attach: Attach) -> IncomingLink | OutgoingLink:
        terminus = attach.source if attach.role else attach.target
        address = terminus.value[0] if terminus and terminus.value else None
        if not isinstance(address, str):
            text = "The stand-in has no transactions: a link needs the address of a queue."
            raise AttachError("amqp:not-implemented", text)
        if address == CBS:
            return self._node(attach, address, self._authorizer.answer)
        if not self._authorizer.authorized:
            raise AttachError("amqp:unauthorized-access", f"Put a token to {CBS} before a link to {address!r}.")
        entity = address.removesuffix(MANAGEMENT)
        queue = self._dispatcher.broker.find(entity)
        if queue is None:
            raise AttachError("amqp:not-found", f"The messaging entity '{entity}' could not be found.")
        if address != entity:
            return self._node(attach, address, Manager(queue, self._dispatcher).answer)
        filters = terminus.value[7] if attach.role and terminus and len(terminus.value) > 7 else None  # noqa: PLR2004 - field 7 of a source: filter
        if filters and "com.microsoft:session-filter" in filters:
            raise AttachError("amqp:not-implemented", "The stand-in has no message sessions.")
        if attach.role:
            return OutgoingLink(self, attach, address, self._dispatcher, queue)
        if queue.is_dead_letters:
            raise AttachError("amqp:not-allowed", "Nobody can send to a dead-letter queue.")
        return IncomingLink(self, attach, address, lambda kind, payload: self._store(queue, kind, payload))

    def _node(
        self, attach: Attach, address: str, handle: Callable[[Message], tuple[dict[str, object], object]]
    ) -> IncomingLink | OutgoingLink:
        if attach.role:
            return OutgoingLink(self, attach, address, self._dispatcher, None)

        def accept(_kind: int, payload: bytes) -> Described:
            request = Message.parse(payload)
            properties, value = handle(request)
            back = self._reply_link(address, request.reply_to)
            if back is not None:
                back.answer(encode_answer(request.message_id, properties, value))
            return Described(ULong(ACCEPTED), [])

        return IncomingLink(self, attach, address, accept)

    def _reply_link(self, address: str, reply_to: str | None) -> OutgoingLink | None:
        links = [one for one in self._links.values() if isinstance(one, OutgoingLink) and one.address == address]
        named = [one for one in links if reply_to is not None and one.reply_address == reply_to]
        return next(iter(named or links), None)

    def _store(self, queue: Queue, kind: int, payload: bytes) -> Described:
        payloads = batch(payload) if kind == BATCH else [payload]
        messages = [Message.parse(one) for one in payloads]
        queue.send(
            [
                Incoming(one, message.duplicate_key, message.time_to_live, message.scheduled_for)
                for one, message in zip(payloads, messages, strict=True)
            ]
        )
        self._dispatcher.wake(queue)
        return Described(ULong(ACCEPTED), [])

    def on_flow(self, flow: Flow) -> None:
        self._next_incoming_id = flow.next_outgoing_id
        seen = 0 if flow.next_incoming_id is None else flow.next_incoming_id
        self._remote_window = seen + flow.incoming_window - self._next_outgoing_id
        was_blocked = self.blocked
        self._flush()
        if flow.handle is not None:
            self._link(flow.handle).on_flow(flow)
        if was_blocked and not self.blocked:
            for link in self._links.values():
                if isinstance(link, OutgoingLink):
                    link.resume()

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        self._next_incoming_id += 1
        self._link(transfer.handle).on_transfer(transfer, payload)

    def on_disposition(self, disposition: Disposition) -> None:
        if disposition.role:
            for link in self._links.values():
                if isinstance(link, OutgoingLink):
                    link.on_disposition(disposition)

    def on_detach(self, detach: Detach) -> None:
        link = self._links.pop(detach.handle, None)
        if link is not None:
            link.close()
            self._transport.send(self._channel, Detach(UInt(detach.handle), True))

    def close(self) -> None:
        for link in self._links.values():
            link.close()
        self._links.clear()

    def _link(self, handle: int) -> IncomingLink | OutgoingLink:
        link = self._links.get(handle)
        if link is None:
            raise ProtocolError("amqp:session:unattached-handle", f"No link is attached under handle {handle}.")
        return link

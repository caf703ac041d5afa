"""The server's ends of AMQP links: one that messages come in by, one that they go out by."""

import uuid
from collections.abc import Callable
from typing import Any, Protocol

from local.servicebus.amqp.codec import CodecError, Described, ULong
from local.servicebus.amqp.frames import Attach, Disposition, Flow, Transfer, error
from local.servicebus.amqp.message import encode_delivery
from local.servicebus.queues.dispatch import Dispatcher
from local.servicebus.queues.queue import LockLostError, Outcome, Queue
from local.servicebus.queues.rows import Delivery

ACCEPTED, REJECTED, RELEASED, MODIFIED = 0x24, 0x25, 0x26, 0x27
MAX_MESSAGE = 256 * 1024
"""Bytes; the limit of Azure's Standard tier and of Microsoft's emulator."""
_CREDIT = 500
_LOCK_LOST = error(
    "com.microsoft:message-lock-lost",
    "The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue.",
)


class Session(Protocol):
    """What a link needs of the session that it lives in."""

    @property
    def blocked(self) -> bool: ...

    def next_delivery_id(self) -> int: ...

    def transfer(self, first: Transfer, payload: bytes) -> None: ...

    def flow(self, handle: int, delivery_count: int, credit: int, *, drain: bool = False) -> None: ...

    def disposition(self, disposition: Disposition) -> None: ...


class IncomingLink:
    """The client sends; `accept` gets each whole message with its format and gives the outcome."""

    def __init__(
        self, session: Session, attach: Attach, address: str, accept: Callable[[int, bytes], Described]
    ) -> None:
        self.name = attach.name
        self.handle = attach.handle
        self.address = address
        self._session = session
        self._accept = accept
        self._first: Transfer | None = None
        self._parts = bytearray()
        self._delivery_count = attach.initial_delivery_count or 0
        self._credit = 0

    def grant(self) -> None:
        """Let the client send on. To be called once after the attach; later it happens by itself."""
        self._credit = _CREDIT
        self._session.flow(self.handle, self._delivery_count, self._credit)

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        first = self._first = self._first or transfer
        # What is over the limit is read, to answer it by name, but not kept.
        if len(self._parts) <= MAX_MESSAGE:
            self._parts += payload
        if transfer.more:
            return
        message, self._first, self._parts = bytes(self._parts), None, bytearray()
        self._delivery_count += 1
        self._credit -= 1
        if not transfer.aborted:
            outcome = self._outcome(first, message)
            if not first.settled and first.delivery_id is not None:
                self._session.disposition(Disposition(True, first.delivery_id, first.delivery_id, True, outcome))
        if self._credit <= _CREDIT // 2:
            self.grant()

    def on_flow(self, flow: Flow) -> None:
        """The client's account of the link needs no answer."""

    def close(self) -> None:
        """Nothing is held for this link."""

    def _outcome(self, transfer: Transfer, message: bytes) -> Described:
        if len(message) > MAX_MESSAGE:
            text = f"The received message is larger than the limit of {MAX_MESSAGE} bytes."
            return Described(ULong(REJECTED), [error("amqp:link:message-size-exceeded", text)])
        try:
            return self._accept(transfer.message_format or 0, message)
        except CodecError as problem:
            return Described(ULong(REJECTED), [error("amqp:decode-error", str(problem))])


class OutgoingLink:
    """The client receives: messages of a queue, or, without a queue, answers of a node."""

    def __init__(
        self, session: Session, attach: Attach, address: str, dispatcher: Dispatcher, queue: Queue | None
    ) -> None:
        self.name = attach.name
        self.handle = attach.handle
        self.address = address
        self.reply_address: str | None = attach.target.value[0] if attach.target and attach.target.value else None
        self.deletes = attach.snd_settle_mode == 1
        self._session = session
        self._dispatcher = dispatcher
        self._queue = queue
        self._delivery_count = 0
        self._credit = 0
        self._unsettled: dict[int, uuid.UUID] = {}
        if queue is not None:
            dispatcher.add(queue, self)

    @property
    def ready(self) -> bool:
        return self._credit > 0 and not self._session.blocked

    def deliver(self, delivery: Delivery) -> None:
        token = delivery.lock_token or uuid.uuid4()
        delivery_id = self._send(token.bytes_le, encode_delivery(delivery), settled=self.deletes)
        if not self.deletes:
            self._unsettled[delivery_id] = token

    def answer(self, payload: bytes) -> None:
        """Send a node's answer."""
        self._send(uuid.uuid4().bytes, payload, settled=True)

    def _send(self, tag: bytes, payload: bytes, *, settled: bool) -> int:
        self._credit -= 1
        self._delivery_count += 1
        delivery_id = self._session.next_delivery_id()
        self._session.transfer(Transfer(self.handle, delivery_id, tag, 0, settled), payload)
        return delivery_id

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """A client that sends on its receiving link is not heard; the standard makes it an error of the client."""

    def on_flow(self, flow: Flow) -> None:
        self._credit = (flow.delivery_count or 0) + (flow.link_credit or 0) - self._delivery_count
        self.resume()
        if flow.drain:
            self._delivery_count += max(self._credit, 0)
            self._credit = 0
        if flow.drain or flow.echo:
            self._session.flow(self.handle, self._delivery_count, self._credit, drain=bool(flow.drain))

    def on_disposition(self, disposition: Disposition) -> None:
        """Settle what the client has decided on; what it asks to have confirmed is confirmed by its outcome."""
        last = disposition.first if disposition.last is None else disposition.last
        settled = [one for one in self._unsettled if disposition.first <= one <= last]
        for delivery_id in settled:
            state = self._settle(self._unsettled.pop(delivery_id), disposition.state)
            if not disposition.settled:
                self._session.disposition(Disposition(False, delivery_id, delivery_id, True, state))
        if settled:
            self.resume()

    def resume(self) -> None:
        """Take up deliveries again, after the client made room for them or gave a message back."""
        if self._queue is not None:
            self._dispatcher.wake(self._queue)

    def _settle(self, token: uuid.UUID, state: Described | None) -> Described:
        outcome, reason, description = _read_outcome(state)
        assert self._queue is not None
        try:
            self._queue.settle(token, outcome, reason=reason, description=description)
        except LockLostError:
            return Described(ULong(REJECTED), [_LOCK_LOST])
        return Described(ULong(state.descriptor if state else RELEASED), [])

    def close(self) -> None:
        """Messages that the client has not settled stay locked until their locks expire, as in Azure."""
        self._credit = 0
        if self._queue is not None:
            self._dispatcher.remove(self._queue, self)


def _read_outcome(state: Described | None) -> tuple[Outcome, str | None, str | None]:
    """What a delivery state asks for, with the reason and the description of a dead letter."""
    fields: list[Any] = state.value if state else []
    descriptor = state.descriptor if state else RELEASED
    if descriptor == ACCEPTED:
        return "complete", None, None
    if descriptor == MODIFIED:
        undeliverable_here = len(fields) > 1 and fields[1]
        return ("defer" if undeliverable_here else "abandon"), None, None
    if descriptor == REJECTED:
        problem: list[Any] = fields[0].value if fields and fields[0] else []
        info: dict[Any, Any] = (problem[2] if len(problem) > 2 else None) or {}  # noqa: PLR2004 - condition, description, info
        return "dead-letter", info.get("DeadLetterReason"), info.get("DeadLetterErrorDescription")
    return "release", None, None

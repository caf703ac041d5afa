"""Requests to nodes: `$cbs`, which takes tokens, and a queue's `$management`.

Rules: "AMQP 1.0 in Azure Service Bus: request-response-based operations".
"""

import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

from local.servicebus.amqp.codec import Array, CodecError, Int, Symbol, Timestamp
from local.servicebus.amqp.message import Message, encode_delivery
from local.servicebus.amqp.tokens import refusal
from local.servicebus.queues.dispatch import Dispatcher
from local.servicebus.queues.queue import Incoming, LockLostError, MessageNotFoundError, Outcome, Queue
from local.servicebus.queues.rows import Delivery

logger = logging.getLogger(__name__)
CBS = "$cbs"
MANAGEMENT = "/$management"
_RECEIVE_AND_DELETE = 0
_MOST_PEEKED, _PEEKED_BYTES = 250, 1024 * 1024
_OUTCOMES: dict[str, Outcome] = {
    "completed": "complete",
    "abandoned": "abandon",
    "defered": "defer",
    "suspended": "dead-letter",
}

Answer = tuple[dict[str, Any], Any]
"""The application properties and the value of an answer."""


class Authorizer:
    """What the client of one connection may do: all, once it has put a good token. `key` None accepts any signature."""

    def __init__(self, key: str | None) -> None:
        self._key = key
        self.authorized = False

    def answer(self, request: Message) -> Answer:
        token = request.value()
        problem = refusal(token, self._key, time.time()) if isinstance(token, str) else "The token is no text."
        self.authorized = problem is None
        if problem is not None:
            # The SDK shows its user none of the answer's text.
            logger.warning("A client's token was refused: %s", problem)
        code, text = (202, "Accepted") if problem is None else (401, problem)
        return {"status-code": Int(code), "status-description": text}, None


class Manager:
    """The `$management` node of one queue."""

    def __init__(self, queue: Queue, dispatcher: Dispatcher) -> None:
        self._queue = queue
        self._dispatcher = dispatcher
        self._operations: dict[str, Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]] = {
            "com.microsoft:renew-lock": self._renew_lock,
            "com.microsoft:schedule-message": self._schedule,
            "com.microsoft:cancel-scheduled-message": self._cancel,
            "com.microsoft:peek-message": self._peek,
            "com.microsoft:receive-by-sequence-number": self._receive_deferred,
            "com.microsoft:update-disposition": self._settle,
        }

    def answer(self, request: Message) -> Answer:
        """Carry out one request. What cannot be done is answered with a status and an error condition."""
        name = str(request.application_properties.get("operation"))
        operation = self._operations.get(name)
        if operation is None:
            return _failure(501, "amqp:not-implemented", f"The stand-in has no operation {name!r}.")
        try:
            code, value = operation(request.value())
        except LockLostError:
            text = "The lock supplied is invalid. Either the lock expired, or the message has already been removed."
            return _failure(410, "com.microsoft:message-lock-lost", text)
        except MessageNotFoundError:
            text = "The message is not in the state that the operation needs, or no longer exists."
            return _failure(404, "com.microsoft:message-not-found", text)
        except (KeyError, TypeError, ValueError, AttributeError, CodecError) as problem:
            text = f"The request {name!r} cannot be read: {problem}"
            return _failure(400, "com.microsoft:argument-error", text)
        self._dispatcher.wake(self._queue)
        return {"statusCode": Int(code), "statusDescription": "OK"}, value

    def _renew_lock(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        until = self._queue.renew([_token(one) for one in body["lock-tokens"]])
        return 200, {"expirations": Array(Timestamp(at) for at in until)}

    def _schedule(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        incoming: list[Incoming] = []
        for one in body["messages"]:
            payload = bytes(one["message"])
            message = Message.parse(payload)
            incoming.append(Incoming(payload, message.duplicate_key, message.time_to_live, message.scheduled_for))
        return 200, {"sequence-numbers": Array(self._queue.send(incoming))}

    def _cancel(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self._queue.cancel([int(one) for one in body["sequence-numbers"]])
        return 200, {}

    def _peek(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        limit = min(int(body["message-count"]), _MOST_PEEKED)
        messages: list[dict[str, bytes]] = []
        room = _PEEKED_BYTES
        for delivery in self._queue.peek(int(body["from-sequence-number"]), limit):
            encoded = encode_delivery(delivery)
            room -= len(encoded)
            if messages and room < 0:
                break
            messages.append({"message": encoded})
        return (200, {"messages": messages}) if messages else (204, {})

    def _receive_deferred(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        delete = int(body["receiver-settle-mode"]) == _RECEIVE_AND_DELETE
        deliveries = self._queue.receive_deferred([int(one) for one in body["sequence-numbers"]], delete=delete)
        return 200, {"messages": [_deferred(one) for one in deliveries]}

    def _settle(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        outcome = _OUTCOMES[body["disposition-status"]]
        reason, description = body.get("deadletter-reason"), body.get("deadletter-description")
        for one in body["lock-tokens"]:
            self._queue.settle(_token(one), outcome, reason=reason, description=description)
        return 200, {}


def _failure(code: int, condition: str, text: str) -> Answer:
    return {"statusCode": Int(code), "statusDescription": text, "errorCondition": Symbol(condition)}, {}


def _token(value: Any) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))


def _deferred(delivery: Delivery) -> dict[str, Any]:
    return {"lock-token": delivery.lock_token or uuid.UUID(int=0), "message": encode_delivery(delivery)}

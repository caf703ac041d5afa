"""The dead letters of the app's queues, to be read and put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic import AwareDatetime, Field

from shared.platform.messaging.servicebus import receiver, send_message
from shared.platform.models import LazyModel
from shared.platform.redaction import redact, redact_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azure.servicebus import ServiceBusReceivedMessage

BODY_SHOWN = 2_000
"""Characters of a body that are shown."""
MOST_RESUBMITTED = 500
"""Dead letters that one call locks."""
RECEIVE_SECONDS = 5


class DeadLetter(LazyModel):
    """A message that could not be worked on."""

    sequence_number: int
    message_id: str | None
    correlation_id: str | None
    enqueued_at: AwareDatetime | None
    deliveries: int = Field(description="How often it was delivered before")
    reason: str | None
    description: str | None
    size: int = Field(description="Bytes of the body")
    body: str = Field(description=f"The first {BODY_SHOWN:,} characters, secrets hidden")
    properties: dict[str, str]


class Resubmitted(LazyModel):
    """What was put back into the queue."""

    resubmitted: list[int] = Field(description="Sequence numbers of the dead letters that were put back")
    missing: list[int] = Field(description="Of those asked for: not found among the dead letters that could be locked")


async def read_dead_letters(queue: str, *, limit: int, first: int = 0) -> list[DeadLetter]:
    """Up to `limit` dead letters (the service gives 250 at most) with sequence numbers from `first` on.

    Raises:
        TransientError: the service did not answer.
    """
    async with receiver(queue, dead=True) as dead:
        found = await dead.peek_messages(limit, sequence_number=first)
    return [_shown(message) for message in found]


async def resubmit(queue: str, sequence_numbers: Sequence[int] | None) -> Resubmitted:
    """Put dead letters back into their queue: those with these numbers, or all that there are (None), 500 at most.

    A copy is sent, then the dead letter is completed: who dies in between has sent it twice. The copy's message id is
    the old one with `~` and the dead letter's number, since a queue that looks for duplicates would drop the old id:
    consumers must take what they act on from the body.

    Raises:
        TransientError: the service did not answer; what was not completed is still among the dead letters.
    """
    wanted = None if sequence_numbers is None else set(sequence_numbers)
    moved: list[int] = []
    async with receiver(queue, dead=True) as dead:
        if not await dead.peek_messages(1):  # receiving would wait for one
            return Resubmitted(resubmitted=[], missing=sorted(wanted or ()))
        held: list[ServiceBusReceivedMessage] = []
        locked = 0
        try:
            while locked < MOST_RESUBMITTED and (wanted is None or wanted.difference(moved)):
                batch = await dead.receive_messages(50, max_wait_time=RECEIVE_SECONDS if not locked else 1)
                if not batch:
                    break
                locked += len(batch)
                for message in batch:
                    number = message.sequence_number or 0
                    if wanted is not None and number not in wanted:
                        held.append(message)
                        continue
                    await send_message(queue, _copy(message))
                    await dead.complete_message(message)
                    moved.append(number)
        finally:
            for message in held:
                await dead.abandon_message(message)
    return Resubmitted(resubmitted=sorted(moved), missing=sorted((wanted or set()).difference(moved)))


def _copy(message: ServiceBusReceivedMessage) -> Any:
    """The message as it was first sent, under a message id of its own."""
    from azure.servicebus import ServiceBusMessage  # noqa: PLC0415 - loads where it is needed

    of_the_queue = {"DeadLetterReason", "DeadLetterErrorDescription"}
    properties = {
        key: value for key, value in (message.application_properties or {}).items() if _text(key) not in of_the_queue
    }
    return ServiceBusMessage(
        _body(message),
        message_id=f"{message.message_id or ''}~{message.sequence_number}",
        correlation_id=message.correlation_id,
        content_type=message.content_type,
        subject=message.subject,
        application_properties=cast("Any", properties),
    )


def _shown(message: ServiceBusReceivedMessage) -> DeadLetter:
    body = _body(message)
    properties = {
        _text(key): _text(value)[:BODY_SHOWN] for key, value in (message.application_properties or {}).items()
    }
    return DeadLetter(
        sequence_number=message.sequence_number or 0,
        message_id=message.message_id,
        correlation_id=message.correlation_id,
        enqueued_at=message.enqueued_time_utc,
        deliveries=message.delivery_count or 0,
        reason=message.dead_letter_reason,
        description=message.dead_letter_error_description,
        size=len(body),
        body=redact(body.decode(errors="replace"))[:BODY_SHOWN],
        properties={key: redact_named(key, value) for key, value in properties.items()},
    )


def _body(message: ServiceBusReceivedMessage) -> bytes:
    body: Any = message.body
    if isinstance(body, str | bytes):
        return body.encode() if isinstance(body, str) else body
    try:
        return b"".join(cast("list[bytes]", list(body)))
    except TypeError:
        return str(body).encode()


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)

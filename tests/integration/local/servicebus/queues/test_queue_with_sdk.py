"""The stand-in as the azure-servicebus SDK sees it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.servicebus import (
    AutoLockRenewer,
    ServiceBusMessage,
    ServiceBusMessageState,
    ServiceBusReceiveMode,
    ServiceBusSubQueue,
)
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessageNotFoundError,
    MessageSizeExceededError,
    MessagingEntityNotFoundError,
    ServiceBusError,
)

DEAD_LETTER = ServiceBusSubQueue.DEAD_LETTER


def test_a_message_arrives_as_it_was_sent(mailbox):
    box = mailbox("properties")
    when = datetime(2026, 1, 2, tzinfo=UTC)
    properties: dict[str | bytes, Any] = {"number": 5, "text": "x", "flag": True, "part": 1.5, "when": when}
    box.send(
        ServiceBusMessage(
            b'{"a": 1}',
            message_id="m1",
            subject="S",
            correlation_id="C",
            content_type="application/json",
            reply_to="R",
            to="T",
            partition_key="P",
            application_properties=properties,
        )
    )
    before = datetime.now(UTC)
    [message] = box.take()
    assert b"".join(message.body) == b'{"a": 1}'
    assert (message.message_id, message.subject, message.correlation_id) == ("m1", "S", "C")
    assert (message.content_type, message.reply_to, message.to) == ("application/json", "R", "T")
    assert message.partition_key == "P"
    received = {key.decode(): value for key, value in message.application_properties.items()}
    assert {key: value.decode() if isinstance(value, bytes) else value for key, value in received.items()} == {
        **properties,
        "when": int(when.timestamp() * 1000),
    }
    assert message.delivery_count == 0
    assert message.sequence_number > 0
    assert before - timedelta(minutes=1) < message.enqueued_time_utc <= datetime.now(UTC)


def test_batches_and_lists_keep_their_order(mailbox):
    box = mailbox("batches")
    batch = box.sender.create_message_batch()
    for number in range(3):
        batch.add_message(ServiceBusMessage(f"batch {number}"))
    box.sender.send_messages(batch)
    box.sender.send_messages([ServiceBusMessage(f"list {number}") for number in range(3)])
    assert [str(one) for one in box.take(10)] == [
        f"{kind} {number}" for kind in ("batch", "list") for number in range(3)
    ]


def test_an_abandoned_message_comes_back_until_its_attempts_are_spent(mailbox):
    box = mailbox("attempts")
    box.send("try me")
    counts = []
    receiver = box.receiver()
    for _ in range(3):
        [message] = receiver.receive_messages(1, 5)
        counts.append(message.delivery_count)
        receiver.abandon_message(message)
    assert receiver.receive_messages(1, 0.5) == []
    assert counts == [0, 1, 2]
    [dead] = box.take(sub_queue=DEAD_LETTER)
    assert (str(dead), dead.dead_letter_reason) == ("try me", "MaxDeliveryCountExceeded")
    assert dead.dead_letter_error_description == "Message could not be consumed after 3 delivery attempts."


def test_a_dead_letter_tells_why_and_can_be_sent_again(mailbox):
    box = mailbox("letters")
    box.send(ServiceBusMessage("broken", application_properties={"k": 7}))
    receiver = box.receiver()
    [message] = receiver.receive_messages(1, 5)
    receiver.dead_letter_message(message, reason="bad", error_description="no such run")
    [dead] = box.take(sub_queue=DEAD_LETTER)
    assert (str(dead), dead.dead_letter_reason, dead.dead_letter_error_description) == ("broken", "bad", "no such run")
    assert dead.application_properties[b"k"] == 7
    box.send(ServiceBusMessage(b"".join(dead.body), application_properties={"k": 7}))
    [again] = box.take()
    assert (str(again), again.dead_letter_reason, again.delivery_count) == ("broken", None, 0)
    assert box.take(sub_queue=DEAD_LETTER) == []


def test_an_expired_lock_gives_the_message_to_the_next_receiver(mailbox):
    box = mailbox("short-lock")
    box.send("slow")
    slow = box.receiver()
    [message] = slow.receive_messages(1, 5)
    lock = message.locked_until_utc - datetime.now(UTC)
    assert timedelta(0) < lock <= timedelta(seconds=1)
    next_one = box.receiver()
    [again] = next_one.receive_messages(1, 5)
    assert (str(again), again.delivery_count) == ("slow", 1)
    # The client itself refuses after locked_until; the broker must too, whatever the client's clock says.
    message._raw_amqp_message.annotations[b"x-opt-locked-until"] += 60_000
    with pytest.raises(MessageLockLostError):
        slow.complete_message(message)
    next_one.complete_message(again)
    assert box.take() == []


def test_a_renewed_lock_lasts(mailbox):
    box = mailbox("renewed")
    box.send("long work")
    receiver = box.receiver()
    [message] = receiver.receive_messages(1, 5)
    first = message.locked_until_utc
    assert receiver.renew_message_lock(message) > first
    with AutoLockRenewer() as renewer:
        renewer.register(receiver, message)
        assert box.receiver().receive_messages(1, 2) == []
        receiver.complete_message(message)


def test_a_deferred_message_waits_to_be_asked_for(mailbox):
    box = mailbox("deferred")
    box.send("later")
    receiver = box.receiver()
    [message] = receiver.receive_messages(1, 5)
    receiver.defer_message(message)
    assert receiver.receive_messages(1, 0.3) == []
    [deferred] = receiver.receive_deferred_messages([message.sequence_number])
    assert (str(deferred), deferred.state) == ("later", ServiceBusMessageState.DEFERRED)
    receiver.complete_message(deferred)
    with pytest.raises(MessageNotFoundError):
        receiver.receive_deferred_messages([message.sequence_number])


def test_peeking_shows_all_and_changes_nothing(mailbox):
    box = mailbox("peeked")
    box.send("first", "second")
    box.sender.schedule_messages(ServiceBusMessage("third"), datetime.now(UTC) + timedelta(hours=1))
    receiver = box.receiver()
    assert str(receiver.receive_messages(1, 5)[0]) == "first"
    seen = receiver.peek_messages(10, sequence_number=1)
    assert [(str(one), one.state.name) for one in seen] == [
        ("first", "ACTIVE"),
        ("second", "ACTIVE"),
        ("third", "SCHEDULED"),
    ]
    assert receiver.peek_messages(10) == []


def test_a_scheduled_message_comes_when_due_unless_cancelled(mailbox):
    box = mailbox("scheduled")
    due = datetime.now(UTC) + timedelta(seconds=2)
    [number] = box.sender.schedule_messages(ServiceBusMessage("kept"), due)
    numbers = box.sender.schedule_messages([ServiceBusMessage("a"), ServiceBusMessage("b")], due)
    box.sender.cancel_scheduled_messages(numbers)
    with pytest.raises(MessageNotFoundError):
        box.sender.cancel_scheduled_messages(numbers)
    receiver = box.receiver()
    [message] = receiver.receive_messages(5, 10)
    assert datetime.now(UTC) >= due - timedelta(milliseconds=2)
    assert str(message) == "kept"
    assert message.sequence_number > number
    receiver.complete_message(message)


def test_a_message_can_carry_its_own_schedule(mailbox):
    box = mailbox("scheduled-by-property")
    due = datetime.now(UTC) + timedelta(seconds=1)
    box.send(ServiceBusMessage("later", scheduled_enqueue_time_utc=due))
    [message] = box.take(seconds=10)
    assert datetime.now(UTC) >= due - timedelta(milliseconds=2)
    assert abs(message.enqueued_time_utc - due) < timedelta(milliseconds=2)


def test_a_message_id_counts_once_within_the_window(mailbox):
    box = mailbox("unique")
    started = time.monotonic()
    box.send(*(ServiceBusMessage("x", message_id=one) for one in ("same", "same", "other", "same")))
    assert time.monotonic() - started < 2
    assert [one.message_id for one in box.take(10)] == ["same", "other"]
    receiver = box.receiver()
    deadline = time.monotonic() + 10
    messages = []
    while not messages and time.monotonic() < deadline:
        box.send(ServiceBusMessage("again", message_id="same"))
        messages = receiver.receive_messages(1, 0.3)
    assert [one.message_id for one in messages] == ["same"]
    assert time.monotonic() - started >= 2


def test_a_dead_letter_sent_again_under_its_id_is_still_a_duplicate(mailbox):
    box = mailbox("resent")
    box.send(ServiceBusMessage("x", message_id="d-1"))
    receiver = box.receiver()
    receiver.dead_letter_message(receiver.receive_messages(1, 5)[0], reason="r", error_description="d")
    box.send(ServiceBusMessage("x", message_id="d-1"))
    assert box.take() == []
    box.send(ServiceBusMessage("x", message_id="d-1 again"))
    assert [one.message_id for one in box.take()] == ["d-1 again"]


@pytest.mark.parametrize(
    ("queue", "life", "dead"),
    [
        ("expiring", timedelta(milliseconds=200), False),
        ("expiring-kept", timedelta(milliseconds=200), True),
        ("default-life", timedelta(days=1), True),
    ],
)
def test_a_message_expires(mailbox, queue, life, dead):
    box = mailbox(queue)
    box.send(ServiceBusMessage("old", time_to_live=life))
    receiver = box.receiver()
    deadline = time.monotonic() + 10
    while receiver.peek_messages(1, sequence_number=1) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert receiver.receive_messages(1, 0.3) == []
    reasons = [one.dead_letter_reason for one in box.take(sub_queue=DEAD_LETTER)]
    assert reasons == (["TTLExpiredException"] if dead else [])


def test_receive_and_delete_takes_the_message_out(mailbox):
    box = mailbox("at-most-once")
    box.send("once")
    receiver = box.receiver(receive_mode=ServiceBusReceiveMode.RECEIVE_AND_DELETE)
    assert [str(one) for one in receiver.receive_messages(1, 5)] == ["once"]
    receiver = box.receiver()
    assert receiver.peek_messages(1, sequence_number=1) == []


def test_a_message_of_several_frames_passes_both_ways(mailbox):
    box = mailbox("sized")
    body = bytes(range(256)) * 900
    box.send(ServiceBusMessage(body))
    assert b"".join(box.take(seconds=5)[0].body) == body


def test_a_message_over_the_limit_is_refused(mailbox):
    box = mailbox("sized")
    with pytest.raises(MessageSizeExceededError, match="262144"):
        box.send(ServiceBusMessage(b"z" * 300_000))
    box.send("small")
    assert [str(one) for one in box.take()] == ["small"]


def test_prefetched_messages_go_back_when_the_receiver_closes(mailbox):
    box = mailbox("prefetched")
    box.send(*(str(number) for number in range(20)))
    with box.receiver(prefetch_count=10, max_wait_time=2) as receiver:
        receiver.complete_message(next(iter(receiver)))
    rest = box.take(30)
    assert sorted(int(str(one)) for one in rest) == list(range(1, 20))
    assert {one.delivery_count for one in rest} == {0}


def test_an_unknown_queue_is_named(client):
    with pytest.raises(MessagingEntityNotFoundError, match="nowhere"), client.get_queue_receiver("nowhere") as receiver:
        receiver.receive_messages(1, 1)
    with pytest.raises(MessagingEntityNotFoundError, match="nowhere"), client.get_queue_sender("nowhere") as sender:
        sender.send_messages(ServiceBusMessage("x"))


def test_sessions_are_refused_by_name(client):
    with (
        pytest.raises(ServiceBusError, match="no message sessions"),
        client.get_queue_receiver("plain", session_id="s") as receiver,
    ):
        receiver.receive_messages(1, 1)


def test_nobody_sends_to_a_dead_letter_queue(client):
    with (
        pytest.raises(ServiceBusError, match="dead-letter"),
        client.get_queue_sender("plain/$deadletterqueue") as sender,
    ):
        sender.send_messages(ServiceBusMessage("x"))

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.servicebus.amqp.codec import CodecError, Described, Symbol, Timestamp, UInt, ULong, encode
from local.servicebus.amqp.message import Message, batch, encode_answer, encode_delivery
from local.servicebus.queues.rows import Delivery

SEQUENCE, LOCKED = Symbol("x-opt-sequence-number"), Symbol("x-opt-locked-until")


def section(code, value):
    return encode(Described(ULong(code), value))


def delivery(payload, **values):
    settings: dict[str, Any] = {
        "sequence": 7,
        "state": 0,
        "payload": payload,
        "enqueued_at": 1000,
        "expires_at": None,
        "delivery_count": 2,
        "lock_token": uuid.uuid4(),
        "locked_until": 5000,
        "dead_letter_reason": None,
        "dead_letter_description": None,
    }
    return Delivery(**(settings | values))


BODY = section(0x75, b"body") + section(0x75, b"more")
PAYLOAD = (
    section(0x70, [True, None, UInt(9000)])
    + section(0x71, {Symbol("delivery"): 1})
    + section(0x72, {Symbol("own"): Timestamp(5), SEQUENCE: 99, LOCKED: Timestamp(1)})
    + section(0x73, ["id-1", None, None, None, "answers"])
    + section(0x74, {"k": 1})
    + BODY
    + section(0x78, {Symbol("f"): 1})
)


def test_the_sections_are_found():
    message = Message.parse(PAYLOAD)
    assert (message.message_id, message.reply_to, message.time_to_live) == ("id-1", "answers", 9000)
    assert message.application_properties == {"k": 1}
    assert message.body == BODY + section(0x78, {Symbol("f"): 1})


def test_a_delivery_carries_what_the_broker_knows_and_keeps_what_the_sender_wrote():
    again = Message.parse(encode_delivery(delivery(PAYLOAD, expires_at=10_000)))
    assert again.header[0] is True
    assert (again.time_to_live, again.header[4]) == (9000, 2)
    assert again.annotations == {
        Symbol("own"): Timestamp(5),
        SEQUENCE: 7,
        Symbol("x-opt-enqueued-time"): 1000,
        Symbol("x-opt-message-state"): 0,
        LOCKED: 5000,
    }
    assert type(again.annotations[Symbol("own")]) is Timestamp
    assert again.properties_raw == Message.parse(PAYLOAD).properties_raw
    assert again.body == Message.parse(PAYLOAD).body


def test_an_old_lock_does_not_stick_to_a_message_that_is_sent_again():
    again = Message.parse(encode_delivery(delivery(PAYLOAD, lock_token=None, locked_until=None)))
    assert LOCKED not in again.annotations


def test_a_dead_letter_carries_its_reason():
    dead = delivery(PAYLOAD, dead_letter_reason="bad", dead_letter_description="worse")
    properties = Message.parse(encode_delivery(dead)).application_properties
    assert properties == {"k": 1, "DeadLetterReason": "bad", "DeadLetterErrorDescription": "worse"}


def test_the_type_of_an_id_belongs_to_it():
    ids = ["1", 1, ULong(1), b"1", uuid.UUID(int=1)]
    keys = {Message.parse(section(0x73, [one])).duplicate_key for one in ids}
    assert len(keys) == len(ids)
    assert Message.parse(section(0x73, [])).duplicate_key is None


def test_a_life_beyond_the_header_is_told_by_the_properties():
    days = 100 * 86_400_000
    times = [None] * 8 + [Timestamp(1000 + days), Timestamp(1000)]
    message = Message.parse(section(0x70, [None, None, UInt(2**32 - 1)]) + section(0x73, times))
    assert message.time_to_live == days


def test_a_batch_holds_whole_messages():
    assert batch(section(0x75, PAYLOAD) + section(0x75, BODY)) == [PAYLOAD, BODY]


def test_an_answer_refers_to_its_request():
    answer = Message.parse(encode_answer("id-1", {"statusCode": 200}, {"x": 1}))
    assert answer.properties[5] == "id-1"
    assert answer.application_properties == {"statusCode": 200}
    assert answer.value() == {"x": 1}


@pytest.mark.parametrize("read", [Message.parse, batch])
def test_what_is_no_message_is_refused(read):
    with pytest.raises(CodecError):
        read(encode("just text"))


@given(st.binary(max_size=100))
def test_any_bytes_are_a_message_or_refused(data):
    try:
        Message.parse(data)
    except CodecError:
        return

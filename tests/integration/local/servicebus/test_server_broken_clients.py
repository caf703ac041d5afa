"""A client that speaks nonsense is cut off, and harms nobody else."""

import socket

import pytest

from local.servicebus.amqp.codec import Described, UInt, ULong
from local.servicebus.amqp.frames import AMQP_HEADER, Attach, Begin, Flow, Open, Transfer, pack
from local.servicebus.testing import ServiceBusProcess
from tests.present import untyped

OPEN = AMQP_HEADER + pack(0, Open("test", "localhost"))
BEGIN = OPEN + pack(1, Begin(None, UInt(0), UInt(10), UInt(10)))


@pytest.mark.parametrize(
    "nonsense",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x00" * 8,
        AMQP_HEADER + b"\xff" * 100,
        AMQP_HEADER + b"\x00\x00\x00\x04\x02\x00\x00\x00",
        AMQP_HEADER + b"\x00\x00\x00\x0c\x02\x00\x00\x00\x00\x53\x10\x40",
        OPEN + pack(3, Flow(None, UInt(1), UInt(0), UInt(1))),
        BEGIN + pack(1, Begin(None, UInt(0), UInt(10), UInt(10))),
        BEGIN + pack(1, Transfer(UInt(5), UInt(0), b"tag"), b"payload"),
        BEGIN + pack(1, Attach("link", UInt(0), True, source=untyped("no terminus"))),
        BEGIN + pack(1, Flow(untyped("a"), untyped("b"), untyped("c"), untyped("d"), UInt(0))),
    ],
    ids=range(10),
)
def test_nonsense_ends_the_connection(bus: ServiceBusProcess, nonsense: bytes):
    with socket.create_connection(("127.0.0.1", bus.port), timeout=5) as client:
        client.sendall(nonsense)
        answer = b""
        while chunk := client.recv(65536):
            answer += chunk
    assert answer.startswith(AMQP_HEADER)
    assert b"amqp:" in answer


def test_a_link_needs_a_token(bus: ServiceBusProcess):
    source = Described(ULong(0x28), ["plain"])
    with socket.create_connection(("127.0.0.1", bus.port), timeout=5) as client:
        client.sendall(BEGIN + pack(1, Attach("link", UInt(0), True, source=source, target=Described(ULong(0x29), []))))
        answer = b""
        while b"amqp:" not in answer:
            answer += client.recv(65536)
    assert b"amqp:unauthorized-access" in answer

"""A value for each event loop."""

from __future__ import annotations

import asyncio
import gc
import weakref

from shared.platform.per_loop import PerLoop


class Client:
    """What belongs to one loop."""


def test_a_loop_has_one_value_and_another_loop_another():
    clients = PerLoop(Client)

    async def twice() -> tuple[Client, Client]:
        return clients.get(), clients.get()

    first, again = asyncio.run(twice())
    other, _ = asyncio.run(twice())
    assert first is again
    assert other is not first


def test_a_value_that_could_not_be_made_is_made_at_the_next_call():
    outcomes = iter([ValueError("no settings"), None])

    def make() -> Client:
        if (error := next(outcomes)) is not None:
            raise error
        return Client()

    clients = PerLoop(make)

    async def first_fails() -> str:
        try:
            clients.get()
        except ValueError as error:
            clients.get()
            return str(error)
        return "made"

    assert asyncio.run(first_fails()) == "no settings"


def test_a_popped_value_is_made_anew_and_none_is_made_for_popping():
    made: list[Client] = []

    def make() -> Client:
        made.append(Client())
        return made[-1]

    clients = PerLoop(make)

    async def pops() -> None:
        assert clients.pop() is None
        assert made == []
        first = clients.get()
        assert clients.pop() is first
        assert clients.get() is not first

    asyncio.run(pops())
    assert len(made) == 2


def test_a_value_goes_with_its_loop():
    clients = PerLoop(Client)

    async def one() -> weakref.ref[Client]:
        return weakref.ref(clients.get())

    held = asyncio.run(one())
    gc.collect()
    assert held() is None

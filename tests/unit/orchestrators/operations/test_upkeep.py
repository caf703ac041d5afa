"""What operations look at by themselves."""

from typing import Any

from orchestrators.operations.upkeep import watch_operations
from shared.platform.durable import Nothing


def test_the_queues_are_looked_at(player: Any) -> None:
    player.fakes = {"watch_queues": lambda task: task}
    assert player.play(watch_operations, Nothing()) == Nothing()
    assert player.calls == [("watch_queues", Nothing())]

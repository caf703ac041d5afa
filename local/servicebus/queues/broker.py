"""All queues of the stand-in and the file that they live in."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from local.host.core.database import close_database, open_database
from local.host.core.folders import private_folder
from local.servicebus.queues.queue import Queue
from local.servicebus.queues.rows import SCHEMA
from local.servicebus.queues.settings import DEAD_LETTERS, QueueSettings


def wall_clock() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Broker:
    """The queues with these settings, found again in `folder`.

    Raises:
        DatabaseUnusable: another process works on the folder, or its file is damaged.
    """

    def __init__(self, folder: Path, queues: Sequence[QueueSettings], clock: Callable[[], int] = wall_clock) -> None:
        self.clock = clock
        self._database = open_database(private_folder(folder) / "servicebus.sqlite", SCHEMA, "store of the queues")
        self.queues = {settings.name: Queue(self._database, settings, clock) for settings in queues}
        self._all = self.queues | {
            settings.name + DEAD_LETTERS: Queue(self._database, settings.dead_letters(), clock) for settings in queues
        }

    def find(self, address: str) -> Queue | None:
        """The queue or dead-letter queue at an AMQP address, with or without its `sb://host/`; names ignore case."""
        path = address.split("://", 1)[1].partition("/")[2] if "://" in address else address
        return self._all.get(path.strip("/").lower())

    def next_change(self) -> int | None:
        """When time alone will change a queue next, in milliseconds since 1970."""
        times = [queue.next_change() for queue in self._all.values()]
        return min((at for at in times if at is not None), default=None)

    def advance(self) -> None:
        for queue in self._all.values():
            queue.advance()

    def close(self) -> None:
        close_database(self._database)

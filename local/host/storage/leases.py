"""Which queue messages this host holds: noted in files, so that the start after a kill can give them back."""

from pathlib import Path
from typing import ClassVar

from azure.storage.queue import QueueMessage


class Leases:
    """Which messages this host holds, one small file each, for the start after a kill."""

    # What a listener that a reload has stopped still runs is no message of a killed host.
    _held: ClassVar[set[Path]] = set()

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, message: QueueMessage) -> None:
        path = self._folder / str(message.id)
        self._held.add(path)
        path.write_text(message.pop_receipt or "")

    def drop(self, message_id: str) -> None:
        path = self._folder / message_id
        self._held.discard(path)
        path.unlink(missing_ok=True)

    def left(self) -> list[tuple[str, str]]:
        return [(path.name, path.read_text()) for path in self._folder.iterdir() if path not in self._held]

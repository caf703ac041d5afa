"""Which queue messages this host holds: noted in files, so that the start after a kill can give them back."""

import contextlib
from pathlib import Path
from typing import ClassVar

from azure.storage.queue import QueueMessage

from local.host.core.errors import ConfigurationError
from local.host.core.logs import host_log, warn_once


class Leases:
    """Which messages this host holds, one small file each, for the start after a kill."""

    # What a listener that a reload has stopped still runs is no message of a killed host.
    _held: ClassVar[set[Path]] = set()

    def __init__(self, folder: Path) -> None:
        """Make the folder. Raises ConfigurationError when it cannot be."""
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"Nothing can be kept in {folder}: {error.strerror}. Move it away.") from error

    def add(self, message: QueueMessage) -> None:
        """Note that it is held. Where that cannot be written, the message only stays hidden longer after a kill."""
        path = self._folder / str(message.id)
        self._held.add(path)
        try:
            path.write_text(message.pop_receipt or "")
        except OSError as error:
            warn_once(
                "%s cannot be written: %s. What a killed host held stays hidden for ten minutes, as in Azure.",
                *(str(self._folder), str(error.strerror)),
            )

    def drop(self, message_id: str) -> None:
        """It is held no longer."""
        path = self._folder / message_id
        self._held.discard(path)
        path.unlink(missing_ok=True)

    def left(self) -> list[tuple[str, str]]:
        """The ids and pop receipts of what a killed host held."""
        found: list[tuple[str, str]] = []
        for path in [path for path in self._folder.iterdir() if path not in self._held]:
            try:
                receipt = path.read_text()
            except (OSError, ValueError):
                receipt = ""
            if receipt:
                found.append((path.name, receipt))
                continue
            host_log.warning(
                "%s cannot be read, or is empty: its message stays hidden for up to ten minutes, as in Azure.", path
            )
            with contextlib.suppress(OSError):
                path.unlink()
        return found

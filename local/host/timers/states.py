"""What is kept of each timer between its runs, in the form that Azure keeps in its status blobs."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from local.host.core.logs import host_log
from local.host.core.newtonsoft import shallow

NEVER = "0001-01-01T00:00:00"


@dataclass(frozen=True)
class Status:
    """When a timer ran last and is due next, and when that was written; ISO text."""

    last: str
    next: str
    last_updated: str

    def as_json(self) -> dict[str, str]:
        """The form in which it is kept, and given to the function."""
        return {"Last": self.last, "Next": self.next, "LastUpdated": self.last_updated}


class States:
    """The states of an app's timers, one JSON file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, timer: str) -> Status | None:
        """What is kept; None when nothing is, or when it cannot be read."""
        path = self._path(timer)
        try:
            kept = cast("dict[str, str]", shallow(path.read_text()))
            status = Status(kept["Last"], kept["Next"], kept["LastUpdated"])
            for text in (status.next, status.last_updated):
                parse_time(text)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            host_log.warning("%s cannot be read: the timer starts afresh.", path)
            return None
        return status

    def save(self, timer: str, status: Status) -> None:
        """Keep it in place of what was kept before, whole or not at all.

        Where that cannot be written, the timer goes on; a restart takes it for what was kept before.
        """
        path = self._path(timer)
        draft = path.with_suffix(".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(status.as_json()))
            draft.replace(path)
        except OSError as error:
            host_log.error(
                "%s cannot be written: %s. A restart may run the timer once more, or not know that it was missed.",
                *(path, error.strerror),
            )

    def _path(self, timer: str) -> Path:
        return self._folder / f"{timer}.json"


def parse_time(text: str) -> datetime:
    """A time as it is kept; without a zone it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

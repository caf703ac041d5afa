"""Which versions of which blobs a trigger has processed, kept in a file."""

import json
import os
from pathlib import Path

from local.host.core.errors import ConfigurationError
from local.host.core.logs import host_log
from local.host.core.newtonsoft import shallow


class Receipts:
    """Which versions of which blobs were processed: one JSON line each, the last one of a name counts."""

    def __init__(self, path: Path) -> None:
        """Read them. Raises ConfigurationError when something else than a file that can be read is there."""
        self._path = path
        self._etags: dict[str, str] = {}
        self._unwritten: list[str] = []
        damaged: list[int] = []
        for number, line in enumerate(self._lines(), 1):
            try:
                name, etag = shallow(line)
                self._etags[name] = etag
            except (TypeError, ValueError):
                damaged.append(number)
        if damaged:
            host_log.warning(
                "%s: the lines %s cannot be read. The blobs that they name run once more, if they were processed.",
                *(path, ", ".join(map(str, damaged))),
            )

    def has(self, name: str, etag: str) -> bool:
        """Whether this version of the blob was processed."""
        return self._etags.get(name) == etag

    def add(self, name: str, etag: str) -> None:
        """Keep that this version was processed.

        Where it cannot be written, this process remembers it and writes it with the next one: only a start before that
        runs the function once more.
        """
        self._unwritten.append(json.dumps([name, etag]) + "\n")
        self._etags[name] = etag
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a") as file:
                file.write("".join(self._unwritten))
        except OSError as error:
            host_log.error(
                "%s cannot be written: %s. After a restart the function runs once more for %d blobs.",
                *(self._path, error.strerror, len(self._unwritten)),
            )
        else:
            self._unwritten.clear()

    def _lines(self) -> list[str]:
        if not self._path.exists():
            return []
        try:
            data = self._path.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            if not data:
                host_log.warning(
                    "%s is empty, as a full disk leaves a file: the blobs that were processed run once more.",
                    self._path,
                )
            elif not whole:
                self._path.unlink()
            elif whole != data:
                # A process was killed while it wrote its last line: the function of that blob runs again, as in Azure.
                os.truncate(self._path, len(whole))
        except OSError as error:
            raise ConfigurationError(
                f"The receipts {self._path} cannot be used: {error.strerror}. Move them away: then every blob that is "
                "there runs once more."
            ) from error
        return whole.decode(errors="replace").splitlines()

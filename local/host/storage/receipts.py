"""Which versions of which blobs a trigger has processed, kept in a file."""

import json
from pathlib import Path


class Receipts:
    """Which versions of which blobs were processed: one JSON line each, the last one of a name counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._etags: dict[str, str] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                try:
                    name, etag = json.loads(line)
                except ValueError:  # the last line of a process that was killed
                    continue
                self._etags[name] = etag

    def has(self, name: str, etag: str) -> bool:
        return self._etags.get(name) == etag

    def add(self, name: str, etag: str) -> None:
        self._etags[name] = etag
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps([name, etag]) + "\n")

"""Serves a folder of files: `python site.py FOLDER PORT HOST`. Copied beside a site, so it needs nothing but Python.

Neither files nor folders whose names begin with a dot are served (but for .well-known), and folders are not listed. A
path without an extension that leads to nothing is answered with 404.html if there is one, else with the index, since a
single-page app has its own paths.
"""

from __future__ import annotations

import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import unquote, urlsplit

REAL, PAGE = ".well-known", "404.html"


class Site(SimpleHTTPRequestHandler):
    """Answers GET and HEAD."""

    def __init__(self, *arguments: Any, directory: str) -> None:
        self.root = Path(directory).resolve()
        super().__init__(*arguments, directory=directory)

    def send_head(self) -> Any:
        """The file for the path; the page or the index where there is none."""
        try:
            return self._resolved(PurePosixPath(unquote(urlsplit(self.path).path)).parts[1:])
        except (OSError, ValueError):  # no file can have such a name: too long, or with a NUL
            self.send_error(HTTPStatus.NOT_FOUND)
            return None

    def _resolved(self, parts: tuple[str, ...]) -> Any:
        file = self.root.joinpath(*parts)
        if any(part.startswith(".") and part != REAL for part in parts) or not file.resolve().is_relative_to(self.root):
            return self._missing(parts)
        if file.is_dir() and (file / "index.html").is_file() and not urlsplit(self.path).path.endswith("/"):
            return super().send_head()  # redirects to the path with a slash
        if file.is_dir():
            file /= "index.html"
        if not file.is_file() and file.with_suffix(".html").is_file() and not file.suffix:
            file = file.with_suffix(".html")
        return self._send(file, HTTPStatus.OK) if file.is_file() else self._missing(parts)

    def list_directory(self, path: Any) -> None:  # noqa: ARG002 - the base class's
        """Folders are not listed."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def _missing(self, parts: tuple[str, ...]) -> IO[bytes] | None:
        page, index = self.root / PAGE, self.root / "index.html"
        if page.is_file():
            return self._send(page, HTTPStatus.NOT_FOUND)
        if index.is_file() and not any(part.startswith(".") for part in parts) and "." not in (parts or ("",))[-1]:
            return self._send(index, HTTPStatus.OK)
        self.send_error(HTTPStatus.NOT_FOUND)
        return None

    def _send(self, file: Path, status: HTTPStatus) -> IO[bytes]:
        opened = file.open("rb")
        self.send_response(status)
        self.send_header("Content-Type", self.guess_type(str(file)))
        self.send_header("Content-Length", str(file.stat().st_size))
        self.end_headers()
        return opened


if __name__ == "__main__":
    folder, port, host = sys.argv[1:]
    ThreadingHTTPServer((host, int(port)), partial(Site, directory=folder)).serve_forever()

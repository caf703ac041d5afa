"""A site with the console's map page, as the app serves it, over a made-up map: it answers by docs/papers-map.md."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import azure.functions as func
import numpy as np
import numpy.typing as npt

from bench.papers.map_points import SOURCES, YEAR_BASE, MadeMap
from shared.platform.errors import NotFound
from shared.platform.http.pages import page

CONSOLE = Path(__file__).parents[2] / "console"
KEY = "map-key"
_FILTER = re.compile(r"(source|year) (=|>=) (\w+)")
_ID = "00000000-0000-4000-8000-{:012d}"


class MapSite:
    """The address, what was exported and asked for, and what shall go wrong."""

    def __init__(self, made: MadeMap) -> None:
        self.made = made
        self.description = made.described()
        self.asked: list[str] = []
        self.exported: list[dict[str, Any]] = []
        self.breaks_after: int | None = None
        """Bytes of the points after which the connection ends, once."""
        self.url = ""

    def paper(self, number: int) -> dict[str, Any]:
        """The paper of a point."""
        made = self.made
        names = {one["number"]: one["name"] for one in self.description["clusters"] if one["number"] is not None}
        subject = names.get(int(made.cluster[number]), "notes on the edge of a field")
        return {
            "doctrove_paper_id": _ID.format(number),
            "doctrove_source": SOURCES[made.source[number]],
            "doctrove_source_id": f"{number:07d}",
            "doctrove_title": f"Paper {number}: on {subject}",
            "doctrove_abstract": f"We look at {subject} once more, and find what was not expected. " * 4,
            "doctrove_authors": ["Balázs Kovács", "Ada Vries", "Li Wei"][: 1 + number % 3],
            "doctrove_primary_date": f"{YEAR_BASE + int(made.year[number])}-05-04" if made.year[number] else None,
            "doctrove_links": f"https://example.org/{number}",
            "categories": ["a.b"],
            "doi": f"10.1000/{number}",
            "arxiv_id": None,
            "withdrawn": False,
        }

    def matching(self, filters: str | None) -> npt.NDArray[np.intp]:
        """The points that a filter lets through: `source = NAME`, `year = N` or `year >= N`."""
        made = self.made
        if not filters:
            return np.arange(len(made))
        parsed = _FILTER.fullmatch(filters)
        if not parsed or (parsed[1] == "source" and parsed[3] not in SOURCES):
            raise ValueError(f"The filter is not understood: {filters}")
        if parsed[1] == "source":
            return np.flatnonzero(made.source == SOURCES.index(parsed[3]))
        year = int(parsed[3]) - YEAR_BASE
        return np.flatnonzero(made.year == year if parsed[2] == "=" else made.year >= year)

    def found(self, written: str, filters: str | None) -> list[int]:
        """What a search finds, the nearest first: papers whose number holds what was written."""
        if doi := re.fullmatch(r"10\.1000/(\d+)", written):
            return [int(doi[1])]
        return [number for number in self.matching(filters).tolist() if written in str(number)][:1_000][::-1]


@contextmanager
def map_site(made: MadeMap) -> Generator[MapSite]:
    """The site, while the block runs."""
    site = MapSite(made)
    server = _Server(("127.0.0.1", 0), type("Answer", (_Handler,), {"site": site}))
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def signed_in() -> str:
    """A script by which a page begins as if the key had been entered."""
    kept = {"manifold-key": KEY, "manifold-key-header": "X-Admin-Key"}
    return "".join(f"sessionStorage.setItem({json.dumps(name)}, {json.dumps(value)});" for name, value in kept.items())


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a browser that closes breaks off what is under way."""


class _Handler(BaseHTTPRequestHandler):
    site: MapSite
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nothing: what was asked for stands in `asked`."""

    def do_GET(self) -> None:
        at = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(at.query).items()}
        self.site.asked.append(self.path)
        if at.path.startswith("/console"):
            return self._page(at.path.removeprefix("/console/"))
        if at.path == "/ops/sign-in":
            return self._json({"url": None, "signed_in": False})
        if at.path == "/ops/caller" and self.headers.get("X-Admin-Key") == KEY:
            return self._json({"name": "operator", "permissions": ["*"]})
        if self.headers.get("X-Admin-Key") != KEY:
            return self._json({"title": "Unauthorized", "detail": "The key is not known.", "code": "unauthorized"}, 401)
        try:
            return self._answer(at.path, query)
        except ValueError as error:
            problem = {"title": "Bad request", "detail": str(error), "remedy": "Write it as docs say."}
            return self._json({**problem, "errors": [{"pointer": "#/filters", "detail": str(error)}]}, 400)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.site.exported.append(body)
        self._bytes(f"{body['format']} of {len(body['points'])}".encode(), "application/octet-stream")

    def _answer(self, path: str, query: dict[str, str]) -> None:
        made, numbered = self.site.made, re.fullmatch(r"/api/papers/map/3/(\w+)", path)
        content: Any
        match numbered[1] if numbered else path:
            case "/api/papers/map":
                content = self.site.description
            case "points":
                content = made.points
            case "density":
                content = made.density
            case "additions":
                after = int(query.get("after", len(made) - made.additions))
                come = len(made) - made.additions + self.site.description["additions"]
                content = made.file(after, min(come, after + 65_536))
            case "matches":
                content = self._matches(query.get("filters"), query.get("search_text"))
            case "papers":
                numbers = [int(one) for one in query["points"].split(",")]
                content = {"papers": [{"point": number, **self.site.paper(number)} for number in numbers]}
            case "places":
                content = {"places": [self._place(int(one[-12:])) for one in query["papers"].split(",")]}
            case "/api/papers":
                found = self.site.found(query["search_text"], query.get("filters"))
                plan = ["identifier"] if query["search_text"].startswith("10.") else ["exact", "words"]
                content = self._found(found[: int(query["limit"])], plan)
            case _:
                return self._paper(path)
        if isinstance(content, bytes):
            return self._bytes(content, "application/octet-stream", breaks=path.endswith("points"))
        return self._json(content)

    def _matches(self, filters: str | None, written: str | None) -> bytes:
        numbers = np.sort(self.site.found(written, filters)) if written else self.site.matching(filters)
        return numbers.astype("<u4").tobytes()

    def _paper(self, path: str) -> None:
        one = re.fullmatch(r"/api/papers/[0-9a-f-]{24}(\d{12})(/similar)?", path)
        if not one:
            return self._json({"title": "Not found", "detail": "There is no such page."}, 404)
        number = int(one[1])
        if one[2]:
            return self._json(self._found([(number + step) % len(self.site.made) for step in range(1, 21)], ["exact"]))
        return self._json({"paper": self.site.paper(number), "details": {}, "same_work": []})

    def _found(self, numbers: list[int], plan: list[str]) -> dict[str, Any]:
        results = [self.site.paper(number) for number in numbers]
        return {"results": results, "total_count": len(results), "plan": plan, "warnings": [], "next": None}

    def _place(self, number: int) -> dict[str, Any]:
        extent, made = self.site.description["extent"], self.site.made
        x = extent["x_min"] + int(made.x[number]) / 65_535 * (extent["x_max"] - extent["x_min"])
        y = extent["y_min"] + int(made.y[number]) / 65_535 * (extent["y_max"] - extent["y_min"])
        return {"paper_id": _ID.format(number), "point": number, "x": x, "y": y}

    def _page(self, name: str) -> None:
        try:
            answer = asyncio.run(page(CONSOLE, name or "index.html", func.HttpRequest("GET", self.path, body=b"")))
        except NotFound:
            return self._json({"title": "Not found"}, 404)
        return self._bytes(answer.get_body(), answer.mimetype or "", headers=dict(answer.headers))

    def _json(self, content: Any, status: int = 200) -> None:
        self._bytes(json.dumps(content).encode(), "application/json", status=status)

    def _bytes(
        self,
        body: bytes,
        kind: str,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        breaks: bool = False,
    ) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        after, self.site.breaks_after = (self.site.breaks_after, None) if breaks else (None, self.site.breaks_after)
        if after is not None:
            self.wfile.write(body[:after])
            self.wfile.flush()
            time.sleep(0.2)  # so that the browser has taken what came
            self.close_connection = True
            return
        self.wfile.write(body)

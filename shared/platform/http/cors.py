"""Which pages of other origins may call a workload's routes from a browser, and the headers that tell browsers so.

Nothing here keeps anybody out: a browser asks whether a page may see an answer, and everybody else need not ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

METHODS: Final = "GET, POST, PUT, PATCH, DELETE"
REMEMBERED_SECONDS: Final = 600
"""For which a browser need not ask again about one path."""
ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins whose pages may call; the same setting for every route of a workload.

    Attributes:
        allowed: as browsers write them: scheme, host and port, without a path. ANY stands for all.
        credentials: whether a page may let the browser add cookies and its like; never together with ANY.
    """

    allowed: frozenset[str] = frozenset()
    credentials: bool = False

    def __post_init__(self) -> None:
        if self.credentials and ANY in self.allowed:
            raise ValueError("any origin together with credentials: every page could act as whoever visits it")


@dataclass(frozen=True, slots=True)
class Cors:
    """What a workload lets pages of other origins do.

    Attributes:
        prefix: of the paths of its routes, such as `/api/v1`: a browser asks about them before it calls.
        origins: who may; read at each request.
        sent: names of headers that pages may send besides those that need no leave.
        shown: names of headers of answers that pages may read.
    """

    prefix: str
    origins: Callable[[], Origins]
    sent: tuple[str, ...] = ("Authorization", "Content-Type")
    shown: tuple[str, ...] = ("Retry-After",)

    def headers(self, origin: str, *, preflight: bool = False) -> Mapping[str, str]:
        """The headers of an answer to a page of `origin`; "" is sent by whoever is no page of another one."""
        origins = self.origins()
        headers = {} if ANY in origins.allowed else {"Vary": "Origin"}
        if not origin or not origins.allowed & {ANY, origin}:
            return headers
        headers["Access-Control-Allow-Origin"] = ANY if ANY in origins.allowed else origin
        if origins.credentials:
            headers["Access-Control-Allow-Credentials"] = "true"
        if preflight:
            headers["Access-Control-Allow-Methods"] = METHODS
            headers["Access-Control-Allow-Headers"] = ", ".join(self.sent)
            headers["Access-Control-Max-Age"] = str(REMEMBERED_SECONDS)
        elif self.shown:
            headers["Access-Control-Expose-Headers"] = ", ".join(self.shown)
        return headers

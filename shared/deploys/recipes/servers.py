"""How a Python app is served: by the server that its source declares, else by the one that is usual."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

Words = tuple[str, ...]
PORT: Final = "$PORT"
"""Stands for the port in the words of a start command; nothing else is expanded."""
USUAL_ASGI: Final = "uvicorn"
"""Installed with an app that declares none: FastAPI and Starlette bring no server."""
ALL_ADDRESSES: Final = "0.0.0.0"  # noqa: S104 - of the container, whose port alone is reached
_ASGI: Final[dict[str, Words]] = {
    "uvicorn": ("--host", ALL_ADDRESSES, "--port", PORT),
    "hypercorn": ("--bind", f"{ALL_ADDRESSES}:{PORT}"),
    "daphne": ("-b", ALL_ADDRESSES, "-p", PORT),
    "granian": ("--interface", "asgi", "--host", ALL_ADDRESSES, "--port", PORT),
}
_WSGI: Final[dict[str, Words]] = {
    "gunicorn": ("--bind", f"{ALL_ADDRESSES}:{PORT}"),
    "waitress": (f"--host={ALL_ADDRESSES}", f"--port={PORT}"),
    "granian": ("--interface", "wsgi", "--host", ALL_ADDRESSES, "--port", PORT),
}
NAMES: Final = frozenset({*_ASGI, *_WSGI})
"""Of the servers that a source may declare."""


def asgi(app: str, packages: Collection[str]) -> Words | None:
    """The words that serve an ASGI app, `module:name`, by the server that is declared; None: there is none."""
    return _served(app, packages, _ASGI)


def wsgi(app: str, packages: Collection[str]) -> Words | None:
    """As `asgi`, for a WSGI app."""
    return _served(app, packages, _WSGI)


def usual_asgi(app: str) -> Words:
    """The words that serve an ASGI app whose source declares no server."""
    return ("python", "-m", USUAL_ASGI, *_ASGI[USUAL_ASGI], app)


def flask(app: str) -> Words:
    """The words that serve an app by Flask's own server."""
    return ("python", "-m", "flask", "--app", app, "run", "--host", ALL_ADDRESSES, "--port", PORT)


def django(manage: str) -> Words:
    """The words that serve an app by Django's own server; `manage` is the path of its manage.py."""
    return ("python", manage, "runserver", "--noreload", f"{ALL_ADDRESSES}:{PORT}")


def _served(app: str, packages: Collection[str], servers: dict[str, Words]) -> Words | None:
    name = next((one for one in servers if one in packages), None)
    return ("python", "-m", name, *servers[name], app) if name else None

"""Who sent a request and to which host, as the ingress of Container Apps says it to an app."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from local.processes import LOOPBACK

NAMES = frozenset({"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"})
"""Headers that a visitor's own are replaced by."""


def forwarded(request: HTTPConnection) -> list[tuple[str, str]]:
    """The headers, each once. Addresses that are given already stay before the visitor's own."""
    address = request.client.host if request.client else LOOPBACK
    return [
        ("x-forwarded-for", ", ".join([*request.headers.getlist("x-forwarded-for"), address])),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", request.headers.get("host", "")),
    ]

"""What hosts of sources are told and may answer."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.shared.deploys.sources.repositories import Answer

TOKEN = "glpat-canary-token-4711"


async def no() -> bool:
    return False


def page(status: int, body: bytes = b"", **headers: str) -> Callable[[str, str, bytes], Answer]:
    return lambda *_: (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)

"""Static files for browsers: cached by ETag, and under a content policy that lets nothing foreign run."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import azure.functions as func

from shared.platform.access.auth import header
from shared.platform.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path

MEDIA_TYPES: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
# No part begins with a dot, so none is hidden and none leads upwards.
_NAME = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}/){0,8}[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}(\.[a-z0-9]+)")
_INLINE = re.compile(rb"<(script|style)>(.*?)</\1>", re.DOTALL)


async def page(folder: Path, name: str, request: func.HttpRequest) -> func.HttpResponse:
    """The file `name` in `folder`; 304 if the browser holds this version.

    A page's own inline scripts and styles run since the policy lists their hashes; any other inline one does not.

    Raises:
        NotFound: no such file, or one that is not for browsers.
    """
    plain = _NAME.fullmatch(name)
    media_type = MEDIA_TYPES.get(plain[1]) if plain else None
    loaded = await asyncio.to_thread(_load_within, folder, name) if media_type else None
    if loaded is None:
        raise NotFound("There is no such page.")
    body, etag, policy = loaded
    headers = {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": policy,
        "ETag": etag,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    if etag in header(request, "If-None-Match"):
        return func.HttpResponse(status_code=304, headers=headers)
    return func.HttpResponse(body, headers=headers, mimetype=media_type)


def _load_within(folder: Path, name: str) -> tuple[bytes, str, str] | None:
    """The file with its ETag and policy; None where there is none, or one that leads out of the folder."""
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        return None
    return _load(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _load(file: Path, _changed: int) -> tuple[bytes, str, str]:
    body = file.read_bytes()
    allowed = {b"script": ["'self'"], b"style": ["'self'"]}
    for kind, code in _INLINE.findall(body):
        allowed[kind].append(f"'sha256-{base64.b64encode(hashlib.sha256(code).digest()).decode()}'")
    policy = (
        f"default-src 'none'; script-src {' '.join(allowed[b'script'])}; style-src {' '.join(allowed[b'style'])}; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', policy

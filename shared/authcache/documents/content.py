"""What a file really is, told by its first bytes; what it is called and said to be proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

HEAD_BYTES: Final = 65_536
"""So much of a file is looked at."""


def _heif(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc")


def _text(head: bytes) -> bool:
    """Whether it reads as text; a character may be cut at the end of what is looked at."""
    if not head or head.startswith((b"%PDF-", b"GIF8")):
        return False
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if len(head) < HEAD_BYTES or error.start < len(head) - 3:
            return False
        text = head[: error.start].decode()
    return not any((character < " " and character not in "\t\r\n\f") or character == "\x7f" for character in text)


ContentType = Literal[
    "application/pdf",
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/tiff",
    "image/heic",
    "text/csv",
    "text/plain",
]
_KINDS: Mapping[str, Callable[[bytes], bool]] = {
    "application/pdf": lambda head: head.startswith(b"%PDF-"),
    "image/png": lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": lambda head: head.startswith(b"\xff\xd8\xff"),
    "image/gif": lambda head: head.startswith((b"GIF87a", b"GIF89a")),
    "image/webp": lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP",
    "image/tiff": lambda head: head.startswith((b"II*\0", b"MM\0*")),
    "image/heic": _heif,
    "text/csv": _text,
    "text/plain": _text,
}
EXTENSIONS: Final[Mapping[str, str]] = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/tiff": "tiff",
    "image/heic": "heic",
    "text/csv": "csv",
    "text/plain": "txt",
}
"""What may be uploaded, with the ending that its blob gets: the one of its name is the caller's choice."""


def kind_of(head: bytes, claimed: str) -> str | None:
    """The content type of a file that begins so; None: none that may be uploaded, or not the one that it is said to be.

    Args:
        head: its first HEAD_BYTES bytes, or all of it.
        claimed: the content type the caller names; `application/octet-stream` or nothing: the caller does not know.
    """
    named = claimed.partition(";")[0].strip().lower()
    if named in ("", "application/octet-stream"):
        return next((kind for kind, fits in _KINDS.items() if kind != "text/csv" and fits(head)), None)
    fits = _KINDS.get(named)
    return named if fits is not None and fits(head) else None

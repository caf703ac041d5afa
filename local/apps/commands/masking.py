"""Keeps the values of an app's variables out of the files that its output is kept in."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "***"
_SHORTEST = 4
"""A shorter value is part of too many words: it is masked only where it stands alone."""
_SHORTEST_ALONE = 3


class Mask:
    """Replaces each value of at least three characters, also as JSON, URLs and base64 write it."""

    def __init__(self, values: Iterable[str]) -> None:
        wanted = {
            one for value in values for one in (value, *value.splitlines()) if len(one.strip()) >= _SHORTEST_ALONE
        }
        # The longest first: one value may hold another.
        parts = sorted({part for one in wanted for part in _written(one)}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_anywhere, parts))) if parts else None

    def __call__(self, text: str) -> str:
        """The text with every value masked."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)


def _anywhere(part: str) -> str:
    pattern = re.escape(part)
    return pattern if len(part) >= _SHORTEST else rf"(?<!\w){pattern}(?!\w)"


def _written(value: str) -> Iterator[str]:
    """The value as programs print it."""
    yield value
    if len(value) < _SHORTEST:
        return
    raw = value.encode(errors="replace")
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1])
    yield from (quote(raw), quote(raw, safe=""), quote_plus(raw))
    yield from (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("="))

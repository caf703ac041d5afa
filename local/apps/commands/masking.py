"""Keeps the values of an app's variables out of the files that its output is kept in."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "***"
_SHORTEST = 4
"""A shorter value is part of too many words: it is masked only where it stands alone."""
_SHORTEST_ALONE = 3
_SHORTEST_ACROSS = 8
"""Characters of the shortest form that counts where line ends cut it, of which four or more have to be there."""


class Mask:
    """Replaces each value of at least three characters, also as JSON, HTML, URLs, hex and base64 write it."""

    def __init__(self, values: Iterable[str]) -> None:
        wanted = {
            one for value in values for one in (value, *value.splitlines()) if len(one.strip()) >= _SHORTEST_ALONE
        }
        # The longest first: one value may hold another.
        parts = sorted({part for one in wanted for part in _written(one)}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_anywhere, parts))) if parts else None
        self._across = ["".join(map(str.strip, part.splitlines())) for part in parts if len(part) >= _SHORTEST_ACROSS]
        self.longest = len(parts[0]) if parts else 0
        """Characters of the longest form of a value."""

    def __call__(self, text: str) -> str:
        """The text with every value masked."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def leaves_open(self, lines: str) -> bool:
        """Whether lines end within a value that a program wraps, so that the next line may go on with it."""
        joined = "".join(map(str.strip, lines.splitlines()))
        return any(_begins_at_end(part, joined) for part in self._across)


def _begins_at_end(part: str, text: str) -> bool:
    at = text.find(part[:_SHORTEST], max(len(text) - len(part) + 1, 0))
    while at >= 0:
        if part.startswith(text[at:]):
            return True
        at = text.find(part[:_SHORTEST], at + 1)
    return False


def _anywhere(part: str) -> str:
    pattern = re.escape(part)
    return pattern if len(part) >= _SHORTEST else rf"(?<!\w){pattern}(?!\w)"


def _written(value: str) -> Iterator[str]:
    """The value as programs print it."""
    yield value
    if len(value) < _SHORTEST:
        return
    raw = value.encode(errors="replace")
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield from (once, json.dumps(once, ensure_ascii=ascii_only)[1:-1])
    yield from (repr(value)[1:-1], html.escape(value), html.escape(value, quote=False), raw.hex(), raw.hex().upper())
    yield from (quote(raw), quote(raw, safe=""), quote_plus(raw))
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode().rstrip("=")
        for before, shared in ((1, 2), (2, 3)):  # in longer data: what does not depend on the neighbours
            core = encode(bytes(before) + raw).decode()[shared : (before + len(raw)) * 8 // 6]
            if len(core) > _SHORTEST:
                yield core

"""Hiding the values of secrets in text, also in the forms that programs print them in."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HIDDEN: Final = "***"
SHORTEST: Final = 4
"""Characters of the shortest value that is hidden wherever it stands: a shorter one is part of many a word."""
SHORTEST_WORD: Final = 3
"""Characters of the shortest value that is hidden where it stands as a word: two keep no secret, and `on` is a word."""
_SURE: Final = 5
"""Characters of base64 that no other text has by chance."""


class Redactor:
    """Hides the values of secrets in text: as they are, as JSON, Python and URLs write them, and in base64.

    A value of three characters is hidden where it stands as a word, a shorter one is not.
    """

    def __init__(self, values: Iterable[str]) -> None:
        lines = {part for value in values for part in (value, *value.splitlines())}
        words = {one for one in lines if SHORTEST_WORD <= len(one.strip()) < SHORTEST}
        hidden = {form for one in lines if len(one.strip()) >= SHORTEST for form in _forms(one)} | words
        # The longest first: one value may hold another.
        patterns = [_pattern(one, word=one in words) for one in sorted(hidden, key=len, reverse=True)]
        self._pattern = re.compile("|".join(patterns)) if patterns else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub(HIDDEN, text) if self._pattern else text


def _pattern(text: str, *, word: bool) -> str:
    return rf"(?<![^\W_]){re.escape(text)}(?![^\W_])" if word else re.escape(text)


def _forms(value: str) -> Iterator[str]:
    yield value
    for ascii_only in (True, False):
        yield json.dumps(value, ensure_ascii=ascii_only)[1:-1]
    yield repr(value)[1:-1]
    data = value.encode(errors="replace")
    for encoded in (quote(data), quote(data, safe=""), quote(data, safe="!'()*"), quote_plus(data)):
        yield encoded
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), encoded)
    yield from _base64(data)


def _base64(data: bytes) -> Iterator[str]:
    """The value alone, and what of it does not depend on its neighbours wherever it stands in longer data."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(data).decode()
        yield whole
        yield whole.rstrip("=")
        for before in range(3):
            shared_with_before, length = (0, 2, 3)[before], before + len(data)
            core = encode(bytes(before) + data).decode()[shared_with_before : length * 8 // 6]
            if len(core) >= _SURE:
                yield core

"""Keeps the values of an app's variables out of the files that its output is kept in."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from html.entities import html5
from urllib.parse import quote, quote_plus

MASK = "***"
_SHORTEST = 4
"""A shorter value is part of too many words: it is masked only where it stands alone."""
_SHORTEST_ALONE = 3
_SHORTEST_ACROSS = 8
"""Characters of the shortest form that counts where line ends cut it, of which four or more have to be there."""

_LINES = 400
"""Most lines of longer values that are masked each: what shows a file hides the others."""
_ESCAPED = 1_000
"""Characters of the longest value whose escapes are known one by one."""
_CONTROLS = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", "\v": "v", "\a": "a", "\0": "0"}


class Mask:
    """Replaces each value of at least three characters, also as JSON, HTML, URLs, hex and base64 write it.

    A value of many lines is masked as a whole, and its first lines of eight characters and more each.
    """

    def __init__(self, values: Iterable[str]) -> None:
        whole = {value for value in values if len(value.strip()) >= _SHORTEST_ALONE}
        lines = [line for value in sorted(whole) if "\n" in value or "\r" in value for line in value.splitlines()]
        masked = whole | set([line for line in lines if len(line.strip()) >= _SHORTEST_ACROSS][:_LINES])
        # The longest first: one value may hold another.
        parts = sorted({part for one in masked for part in _written(one)}, key=len, reverse=True)
        patterns = [*map(_escaped, sorted(filter(_is_escaped, masked), key=len, reverse=True)), *map(_anywhere, parts)]
        self._pattern = re.compile("|".join(patterns)) if patterns else None
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


def _is_escaped(value: str) -> bool:
    return _SHORTEST <= len(value) <= _ESCAPED and not (value.isascii() and value.isalnum())


def _escaped(value: str) -> str:
    """Each character that is no letter or digit as itself, or as any language may escape it."""
    return "".join(one if one.isascii() and one.isalnum() else f"(?:{_ways(one)})" for one in value)


def _ways(character: str) -> str:
    code = ord(character)
    named = [name.rstrip(";") for name, shown in html5.items() if shown == character and name.endswith(";")]
    units = [f"{unit:04x}" for unit in memoryview(character.encode("utf-16-le", "surrogatepass")).cast("H")]
    raw = [f"{byte:02x}" for byte in character.encode(errors="replace")]
    ways = [
        rf"&(?:amp;)*(?:\#0*{code}|\#[xX]0*(?i:{code:x}){''.join(f'|{name}' for name in named)});",
        r"\\*" + re.escape(character),
        rf"\\+{_CONTROLS[character]}" if character in _CONTROLS else "",
        "".join(rf"(?:\\+|%)u(?i:{unit})" for unit in units),
        rf"\\+(?:U0*|u\{{0*)(?i:{code:x})\}}?",
        "".join(rf"%(?:25)*(?i:{byte})" for byte in raw),
        "".join(rf"\\+x(?i:{byte})" for byte in raw),
        "".join(rf"\\+{int(byte, 16):03o}" for byte in raw),
        rf"(?:%|\\+x)(?i:{code:02x})" if code < 256 else "",  # noqa: PLR2004 - Latin 1
        r"\+" if character == " " else "",
        r"'\"'\"'|'\\''" if character == "'" else "",
    ]
    return "|".join(filter(None, ways))


def _written(value: str) -> Iterator[str]:
    """The value as programs print it."""
    yield value
    if len(value) < _SHORTEST:
        return
    raw = value.encode(errors="replace")
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield from (once, json.dumps(once, ensure_ascii=ascii_only)[1:-1])
    yield from (repr(value)[1:-1], html.escape(value), html.escape(value, quote=False))
    for separator in ("", " ", ":"):
        shown = raw.hex(separator) if separator else raw.hex()
        yield from (shown, shown.upper())
    yield from (quote(raw), quote(raw, safe=""), quote_plus(raw))
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode().rstrip("=")
        for before, shared in ((1, 2), (2, 3)):  # in longer data: what does not depend on the neighbours
            core = encode(bytes(before) + raw).decode()[shared : (before + len(raw)) * 8 // 6]
            if len(core) > _SHORTEST:
                yield core

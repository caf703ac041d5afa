"""Text as it was before programs escaped it, in whichever way, with the places of its characters."""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final


def _utf8(unit: str, digit: str, leads: tuple[str, str, str, str], following: str) -> str:
    """One character in bytes that are each written as `unit` and digits; else one byte."""
    one, two, three, four = (f"{unit}{lead}" for lead in leads)
    more = f"{unit}{following}"
    return f"{one}|{two}{more}|{three}(?:{more}){{2}}|{four}(?:{more}){{3}}|{unit}{digit}"


_X = "[0-9A-Fa-f]"
_LEADS = (f"[0-7]{_X}", f"[cdCD]{_X}", f"[eE]{_X}", "[fF][0-7]")
_HEX: Final = f"{_X}{_X}", _LEADS, f"[89abAB]{_X}"
_OCTAL: Final = "[0-3][0-7]{2}", ("[01][0-7]{2}", "3[0-3][0-7]", "3[45][0-7]", "36[0-7]"), "2[0-7]{2}"
_URL, _BYTES, _OCTALS = _utf8("%", *_HEX), _utf8(r"\\x", *_HEX), _utf8(r"\\", *_OCTAL)
_IN_URLS: Final = rf"(?P<url>{_URL})|(?P<unit>%u{_X}{{4}})"
_BACKSLASHED: Final = (
    rf"(?P<hex>{_BYTES})|(?P<octal>{_OCTALS})"
    rf"|(?P<units>\\u[dD][89abAB]{_X}{{2}}\\u[dD][c-fC-F]{_X}{{2}}|\\u{_X}{{4}})"
    rf"|(?P<point>\\U{_X}{{8}}|\\u\{{{_X}{{1,6}}\}})"
    r"|(?P<char>\\[^0-9A-Za-z\r\n]|\\[abfnrtv0])"
)
_IN_HTML: Final = rf"(?P<html>&(?:\#[0-9]{{1,7}}|\#[xX]{_X}{{1,6}}|[A-Za-z][A-Za-z0-9]{{1,31}});)"
_IN_SHELLS: Final = r"(?P<quote>'\"'\"'|'\\'')"
_ESCAPES: Final = {
    "%": _IN_URLS,
    "\\": _BACKSLASHED,
    "&": _IN_HTML,
    "'": _IN_SHELLS,
}
"""By the character with which they begin."""
_ANY: Final = f"{_IN_URLS}|{_IN_SHELLS}|{_BACKSLASHED}|{_IN_HTML}"
_CUT: Final = rf"(?:%(?:u{_X}{{0,3}}|{_X})?|\\(?:[xX]{_X}?|u{_X}{{0,3}}|[0-3][0-7]?)?|&[#A-Za-z0-9]{{0,8}})\Z"
_NAMED: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_BREAK: Final = r"[ \t]*\r?\n[ \t]*"


@dataclass(frozen=True, slots=True)
class View:
    """A text, and where in the text that it was made of each of its characters begins and ends."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where the characters from `first` up to `last` stand in the text that this was made of."""
        return self.starts[first], self.ends[last - 1]


def view(text: str) -> View:
    """The text itself."""
    return View(text, range(len(text)), range(1, len(text) + 1))


def joined(seen: View) -> View:
    """Without line ends and the blanks around them."""
    return _replaced(seen, _BREAK, lambda _: "")


def unescaped(seen: View) -> View:
    """With each escape of URLs, JSON, JavaScript, Python, HTML and shells replaced by its character, once.

    A plus sign becomes a blank, which forms write as one.
    """
    begun = any(sign in seen.text for sign in _ESCAPES)
    decoded = _replaced(seen, _ANY, _character) if begun else seen
    return View(decoded.text.replace("+", " "), decoded.starts, decoded.ends)


def unescaped_each(seen: View) -> Iterator[View]:
    """With the escapes of one language replaced, for each of which there are any, once and twice.

    So what surrounds a text that was escaped by one language alone is never taken for a part of it.
    """
    for sign, escapes in _ESCAPES.items():
        before = seen
        for _ in range(2):
            decoded = _replaced(before, escapes, _character) if sign in before.text else before
            if decoded is before:
                break
            yield decoded
            before = decoded


def cut_escape(text: str) -> int:
    """Where the text's end begins that may go on as an escape; its length, if there is none."""
    found = _compiled(_CUT).search(text, max(len(text) - 10, 0))
    return found.start() if found else len(text)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """At its first use: these take longer to compile than a cold start has."""
    return re.compile(pattern)


def _replaced(seen: View, pattern: str, change: Callable[[re.Match[str]], str | None]) -> View:
    text, end = seen.text, 0
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for found in _compiled(pattern).finditer(text):
        new = change(found)
        if new is None:
            continue
        first, last = found.span()
        parts += (text[end:first], new)
        starts.extend(seen.starts[end:first])
        ends.extend(seen.ends[end:first])
        starts.extend([seen.starts[first]] * len(new))
        ends.extend([seen.ends[last - 1]] * len(new))
        end = last
    if not parts:
        return seen
    starts.extend(seen.starts[end:])
    ends.extend(seen.ends[end:])
    return View("".join([*parts, text[end:]]), starts, ends)


def _character(found: re.Match[str]) -> str | None:
    """What an escape stands for; None where it is none."""
    return _KINDS[found.lastgroup or ""](found[0])


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _octal(written: str) -> str:
    return _decoded(bytes(int(one, 8) for one in written[1:].split("\\")))


def _units(written: str) -> str:
    return bytes.fromhex(re.sub(r"[\\%]u", "", written)).decode("utf-16-be", errors="replace")


def _point(written: str) -> str | None:
    point = int(written[2:].strip("{}"), 16)
    return chr(point) if point <= sys.maxunicode else None


def _html(written: str) -> str | None:
    shown = html.unescape(written)
    return None if shown == written else shown


_KINDS: Final[dict[str, Callable[[str], str | None]]] = {
    "url": lambda written: _decoded(bytes.fromhex(written.replace("%", ""))),
    "hex": lambda written: _decoded(bytes.fromhex(written.replace("\\x", ""))),
    "octal": _octal,
    "unit": _units,
    "units": _units,
    "point": _point,
    "html": _html,
    "quote": lambda _: "'",
    "char": lambda written: _NAMED.get(written[1], written[1]),
}

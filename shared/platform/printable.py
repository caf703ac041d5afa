"""Text that people read: names, titles, reasons. What nobody can see is none of it."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

_BLANKS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs without ink, which Unicode counts among those that have some: Hangul fillers, empty Braille."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A spreadsheet takes a cell that begins so for a formula, also behind blanks."""


def is_seen(text: str) -> bool:
    """Whether there is a letter, digit or sign to see: not only blanks, joiners, marks of direction and the like."""
    return any(unicodedata.category(one)[0] in "LNPS" and one not in _BLANKS for one in text)


def cell(text: str) -> str:
    """The text as a cell of a CSV file that no spreadsheet runs: behind an apostrophe, a formula is text."""
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text):
        raise ValueError("line breaks and control characters are not allowed here")
    return text if is_seen(text) else ""


def _seen(text: str) -> str:
    if not is_seen(text):
        raise ValueError("there is nothing in it that can be seen")
    return text


Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_one_line)]
"""One line, which may be empty; one of which nothing can be seen is."""
Seen: Final = AfterValidator(_seen)
"""Refuses text of which nothing can be seen."""
Name = Annotated[Line, Seen, Field(min_length=1)]
"""One line that is not empty."""

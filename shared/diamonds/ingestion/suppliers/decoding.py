"""A supplier's JSON, read so that one odd value does not keep the rest of its page from being read."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import datetime
from itertools import accumulate
from math import isfinite
from typing import Any

from shared.platform.errors import TerminalError, TransientError

TOO_LARGE = "supplier-answer-too-large"
MOST_DIGITS = 100
"""Of a number that is kept as one; a longer one becomes text, which no field takes for a number of its range."""
MOST_LEVELS = 64
"""Of nesting; what lies deeper becomes TOO_DEEP."""
MOST_BRACKETS = 2_000_000
"""Of all answers: a page of diamonds has a bracket in ten bytes at most. They are counted while nothing else runs."""
MOST_BRACKETS_TOO_DEEP = 200_000
"""Of an answer that is nested more deeply than MOST_LEVELS, whose brackets are looked at one by one."""
TOO_DEEP = "nested too deeply to be read"

_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - set(_STEPS))
_NO_BRACKETS_OR_QUOTES = bytes(set(range(256)) - set(_STEPS) - {ord('"')})
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def decode(body: bytes) -> Any:
    """The content of a JSON text in UTF-8. Numbers of thousands of digits and thousands of levels of nesting are read.

    Raises:
        ValueError: it is no JSON.
        TerminalError: it has so many brackets that all else would wait for its reading (`supplier-answer-too-large`).
    """
    from msgspec.json import decode as decode_plain  # noqa: PLC0415 - loads in the activity that needs it

    # How many levels can be read otherwise depends on the version of Python: thousands, or fewer than a thousand.
    brackets = _brackets(body)
    if len(brackets) > MOST_BRACKETS:
        raise _too_large(MOST_BRACKETS)
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) <= MOST_LEVELS:
        # msgspec takes half the time of json, which reads NaN, infinities, half surrogate pairs and UTF-16 as well.
        for read in (decode_plain, json.loads):
            with suppress(ValueError, RecursionError):
                return read(body)
    if len(brackets) > MOST_BRACKETS_TOO_DEEP:
        raise _too_large(MOST_BRACKETS_TOO_DEEP)
    text = _flattened(body.decode(errors="replace"))
    try:
        return json.loads(text, parse_int=_integer, parse_float=_number, parse_constant=lambda _: None)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def moment(text: object) -> datetime | None:
    """A time with its offset; None for anything else, which does not keep a stone from being read."""
    try:
        parsed = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return parsed if parsed and parsed.tzinfo else None


def malformed(supplier: str, what: str) -> TransientError:
    """An answer with `what` is none that the supplier's API gives: another try may get a whole one."""
    return TransientError(f"{supplier}'s answer has {what}.", code="supplier-malformed")


def _too_large(most: int) -> TerminalError:
    return TerminalError(
        f"An answer of the supplier has more than {most:,} brackets.",
        code=TOO_LARGE,
        remedy="Ask the supplier why; the partition can be read again with retry-workers.",
    )


def _brackets(body: bytes) -> bytes:
    """Its brackets, without those in texts."""
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in body else body
    brackets = unescaped.translate(None, _NO_BRACKETS_OR_QUOTES).replace(b'""', b"")
    if b'"' in brackets:  # Between two quotes stands a bracket. Texts are looked for only then, since that is slow.
        brackets = _TEXT.sub(b"", body).translate(None, _NO_BRACKETS)
    return brackets


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= MOST_DIGITS else digits


def _number(text: str) -> float | str:
    number = float(text) if len(text) <= MOST_DIGITS else float("inf")
    return number if isfinite(number) else text


def _flattened(text: str) -> str:
    """The text with TOO_DEEP in place of each array or object below MOST_LEVELS others."""
    kept: list[str] = []
    level, done, cut = 0, 0, 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            level += 1
            if level == MOST_LEVELS:
                kept.append(text[done : token.start()])
                cut = token.start()
        elif token[0] in "]}":
            level -= 1
            if level == MOST_LEVELS - 1 and cut:
                kept.append(json.dumps(TOO_DEEP))
                done, cut = token.end(), 0
    return "".join([*kept, text[cut or done :]])

"""The forms in which a secret's value stands in text, and a search for many of them that takes as long as for one."""

from __future__ import annotations

import base64
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from shared.platform.redaction.escapes import unescaped, view

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TIMES: Final = 5
"""How often escapes are replaced: text may be JSON within JSON within a URL."""
SHORTEST: Final = 4
"""Characters of the shortest form that is searched for: a shorter one is part of many a word."""
SHORTEST_ENCODED: Final = 8
"""Characters of the shortest line of a longer value that is searched for in base64 and hex, too."""
_SURE: Final = 5
"""Characters of base64 that no other text has by chance."""


def forms(value: str, *, encoded: bool = True) -> Iterator[str]:
    """The value as it is and, if `encoded`, in hex and base64. Escapes are those of the text: see `escapes`."""
    yield value
    if not encoded:
        return
    data = value.encode(errors="replace")
    for separator in ("", " ", ":"):
        shown = data.hex(separator) if separator else data.hex()
        yield from (shown, shown.upper())
    yield from _base64(data)


def unescaped_forms(written: Iterable[str]) -> Iterator[str]:
    """How the forms stand in text whose escapes are replaced by their characters, up to TIMES times.

    A value may itself hold what looks like an escape, of which some are then replaced with those of the text.
    """
    for form in written:
        shown = form.replace("+", " ")
        yield shown
        for _ in range(TIMES):
            before, shown = shown, unescaped(view(shown)).text
            if shown == before:
                break
            yield shown


class Matcher:
    """Finds forms of SHORTEST and more characters by how they begin."""

    def __init__(self, wanted: Iterable[str]) -> None:
        long_enough = {one for one in wanted if len(one) >= SHORTEST and len(one.strip()) >= SHORTEST - 1}
        self._all = sorted(long_enough, key=len, reverse=True)
        self._by_beginning: defaultdict[str, list[str]] = defaultdict(list)
        for form in self._all:
            self._by_beginning[form[:SHORTEST]].append(form)
        self._beginnings = {beginning[:length] for beginning in self._by_beginning for length in range(1, SHORTEST)}
        self._longest = len(self._all[0]) if self._all else 0

    def __bool__(self) -> bool:
        return bool(self._all)

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Where forms stand in the text, in order; of those that begin at one place, the longest."""
        known = self._by_beginning
        for at in [at for at in range(len(text) - SHORTEST + 1) if text[at : at + SHORTEST] in known]:
            for form in known[text[at : at + SHORTEST]]:
                if text.startswith(form, at):
                    yield at, at + len(form)
                    break

    def begins(self, text: str, least: int) -> int:
        """Where the text's end begins that may go on as a form, `least` characters of it; its length, if none does."""
        for at in range(max(len(text) - self._longest + 1, 0), len(text) - least + 1):
            beginning = text[at : at + SHORTEST]
            if len(beginning) < SHORTEST:
                if beginning in self._beginnings:
                    return at
            elif beginning in self._by_beginning:
                end = text[at:]
                if any(len(form) > len(end) and form.startswith(end) for form in self._by_beginning[beginning]):
                    return at
        return len(text)

    def rest(self, text: str) -> int:
        """How many characters at the text's beginning may be the rest of a form: SHORTEST or more, else 0."""
        head, longest = text[:SHORTEST], 0
        if len(head) < SHORTEST:
            return 0
        for form in self._all:
            if len(form) <= longest:
                break
            at = form.find(head, 1)
            while at >= 0:
                if text.startswith(form[at:]):
                    longest = max(longest, len(form) - at)
                    break
                at = form.find(head, at + 1)
        return longest


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

"""Hides secrets in text that people see: known values in every form (`Redactor`), others by name (`redact`)."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HIDDEN: Final = "***"
_WORDS = "password|passwd|passphrase|pwd|secret|token|api[-_]?key|private|credential|authorization|cookie|signature"
_NAMED = re.compile(rf"(?i:{_WORDS}|(?:^|[-_])key$|environ|env_?var)|[a-z]Key$")
# In text that is no JSON: a name that ends like a secret's, an equals sign or colon, and what follows.
_WRITTEN = re.compile(rf"(?i)(\b[\w.-]*(?:{_WORDS}|key)[\w.-]*[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&]+)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+")


def redact(text: str) -> str:
    """The text with the values of secrets hidden; JSON stays JSON."""
    try:
        value: object = json.loads(text)
        if isinstance(value, dict | list):
            return json.dumps(_hide(cast("Any", value)), ensure_ascii=False)
    except (ValueError, RecursionError):  # it is no JSON, or nested too deeply to be read as such
        pass
    return _in_text(text)


def redact_named(name: str, value: str) -> str:
    """The value of something of this name, hidden if the name is a secret's."""
    return HIDDEN if _NAMED.search(name) else redact(value)


def _hide(value: Any) -> Any:
    match value:
        case dict():
            items = cast("dict[str, Any]", value).items()
            return {key: HIDDEN if _NAMED.search(key) and item is not None else _hide(item) for key, item in items}
        case list():
            return [_hide(item) for item in cast("list[Any]", value)]
        case str():
            return _in_text(value)
        case _:
            return value


def _in_text(text: str) -> str:
    return _WRITTEN.sub(rf"\1{HIDDEN}", _BEARER.sub(rf"\1 {HIDDEN}", text))


SHORTEST: Final = 4
"""Characters of the shortest value that is hidden wherever it stands: a shorter one is part of many a word."""
SHORTEST_WORD: Final = 3
"""Characters of the shortest value that is hidden where it stands as a word: two keep no secret, and `on` is a word."""
SHORTEST_ACROSS: Final = 8
"""Characters of the shortest form that is hidden where line ends cut it: a shorter one comes about by chance."""
_BREAK: Final = re.compile(r"[ \t]*\r?\n[ \t]*")
_LINE: Final = re.compile(r"[^\r\n]+")
_SURE: Final = 5
"""Characters of base64 that no other text has by chance."""


class Redactor:
    """Hides the values of secrets in text: as they are, as JSON, Python, HTML and URLs write them, in base64 and hex.

    A value of three characters is hidden where it stands as a word, a shorter one is not. Forms of eight characters
    and more are hidden as well where line ends cut them, as programs wrap base64.
    """

    def __init__(self, values: Iterable[str]) -> None:
        lines = {part for value in values for part in (value, *value.splitlines())}
        words = {one for one in lines if SHORTEST_WORD <= len(one.strip()) < SHORTEST}
        hidden = {form for one in lines if len(one.strip()) >= SHORTEST for form in _forms(one)} | words
        # The longest first: one value may hold another.
        patterns = [_pattern(one, word=one in words) for one in sorted(hidden, key=len, reverse=True)]
        self._pattern = re.compile("|".join(patterns)) if patterns else None
        joined = {_BREAK.sub("", one) for one in hidden}
        self._joined = sorted((one for one in joined if len(one) >= SHORTEST_ACROSS), key=len, reverse=True)
        self._across = re.compile("|".join(map(re.escape, self._joined))) if self._joined else None

    def __call__(self, text: str) -> str:
        """The text with every value hidden."""
        return _rendered(text, 0, len(text), self._places(text, cut=False))

    def split(self, text: str) -> tuple[str, str]:
        """Of a stream's next text: what can be shown, redacted, and the last lines, which may end within a value.

        Put the rest before the text that comes next; at the end of the stream, call the redactor with it.
        """
        whole = self._whole(text, 1)
        return self(text[:whole]), text[whole:]

    def part(self, before: str, text: str) -> tuple[str, int]:
        """Of a stream that is read from anywhere: what can be shown of a text, and how much of it that is.

        Its last lines are left for the next reading where SHORTEST or more of their characters may begin a value. Give
        what stands before it, as far as values are long, again each time: values that began there are hidden.
        """
        whole = max(self._whole(before + text, SHORTEST), len(before))
        hidden = self._places(before + text, cut=True)
        return _rendered(before + text, len(before), whole, hidden), whole - len(before)

    def end(self, text: str, most: int, *, goes_on: bool = False) -> str:
        """The last whole lines of a longer text, within `most` characters, redacted.

        The text has to begin well before them, as a value may that goes on into them. Where it `goes_on`, last lines
        that may begin a value are left out.
        """
        end = self._whole(text, SHORTEST) if goes_on else len(text)
        shown = _rendered(text, 0, end, self._places(text, cut=True))
        if len(shown) <= most:
            return shown
        cut = shown[-most:]
        return cut[cut.find("\n") + 1 :]

    def _places(self, text: str, *, cut: bool) -> list[tuple[int, int]]:
        """Where values stand in the text, in order. `cut`: it may begin within one."""
        if self._pattern is None:
            return []
        found = [one.span() for one in self._pattern.finditer(text)]
        if self._across is not None and (cut or "\n" in text):
            joined, places = _join(text)
            across = [one.span() for one in self._across.finditer(joined)]
            if cut and (rest := self._rest(joined)):
                across.append((0, rest))
            found += [(places[first], places[last - 1] + 1) for first, last in across]
        return _merged(found)

    def _whole(self, text: str, least: int) -> int:
        """Where the lines begin that may end within a value: `least` or more of its characters."""
        whole = text.rfind("\n") + 1
        if self._across is None:
            return whole
        joined, places = _join(text)
        begins = self._begins(joined, least)
        whole = min(whole, _line_of(text, places[begins] if begins < len(joined) else len(text)))
        values = [(places[one.start()], places[one.end() - 1]) for one in self._across.finditer(joined)]
        while cut := [first for first, last in values if first < whole <= last]:
            whole = _line_of(text, min(cut))
        return whole

    def _begins(self, joined: str, least: int) -> int:
        """Where the text's end begins that may go on as a value; its length, if there is none."""
        begins, latest = len(joined), len(joined) - least + 1
        for form in self._joined:
            start = max(len(joined) - len(form) + 1, 0)
            while (at := joined.find(form[0], start, min(begins, latest))) >= 0:
                if form.startswith(joined[at:]):
                    begins = at
                    break
                start = at + 1
        return begins

    def _rest(self, joined: str) -> int:
        """How many characters at the text's beginning may be the rest of a value: SHORTEST or more, else 0."""
        head, longest = joined[:SHORTEST], 0
        if len(head) < SHORTEST:
            return 0
        for form in self._joined:
            at = form.find(head, 1)
            while at >= 0:
                if joined.startswith(form[at:]):
                    longest = max(longest, len(form) - at)
                    break
                at = form.find(head, at + 1)
        return longest


def _merged(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(places):
        if merged and first < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _rendered(text: str, start: int, end: int, hidden: list[tuple[int, int]]) -> str:
    """The text between two places, with what is hidden replaced on each of its lines."""
    shown, at = "", start
    for first, last in hidden:
        first, last = max(first, start), min(last, end)  # noqa: PLW2901 - of what stands in between
        if first < last:
            shown += text[at:first] + _LINE.sub(HIDDEN, text[first:last])
            at = last
    return shown + text[at:end]


def _line_of(text: str, place: int) -> int:
    """Where the line begins that has the character at that place."""
    return text.rfind("\n", 0, place) + 1


def _join(text: str) -> tuple[str, list[int]]:
    """The text without its line ends and the blanks around them, and where each character of that stands in it."""
    places: list[int] = []
    end = 0
    for found in _BREAK.finditer(text):
        places.extend(range(end, found.start()))
        end = found.end()
    places.extend(range(end, len(text)))
    return _BREAK.sub("", text), places


def _pattern(text: str, *, word: bool) -> str:
    return rf"(?<![^\W_]){re.escape(text)}(?![^\W_])" if word else re.escape(text)


def _forms(value: str) -> Iterator[str]:
    yield value
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]  # JSON as a text within JSON
    yield repr(value)[1:-1]
    yield from (html.escape(value), html.escape(value, quote=False))
    data = value.encode(errors="replace")
    yield from (data.hex(), data.hex().upper())
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

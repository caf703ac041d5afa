"""Hides secrets in text that people see: known values (`Redactor`), others by their names (`redact`)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, cast

from shared.platform.redaction.escapes import View, cut_escape, joined, unescaped, unescaped_each, view
from shared.platform.redaction.secret_forms import SHORTEST, SHORTEST_ENCODED, TIMES, Matcher, forms, unescaped_forms

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


SHORTEST_WORD: Final = 3
"""Characters of the shortest value that is hidden where it stands as a word: two keep no secret, and `on` is a word."""
SHORTEST_ACROSS: Final = 8
"""Characters of the shortest form that is hidden where line ends cut it: a shorter one comes about by chance."""
_BREAK: Final = re.compile(r"[ \t]*\r?\n[ \t]*")
_LINE: Final = re.compile(r"[^\r\n]+")


class Redactor:
    """Hides the values of secrets in text: as they are, in base64 and hex, and as programs escape them.

    That is as URLs, forms, JSON, JavaScript, Python, HTML and shells do, one within another. A value of three
    characters is hidden where it stands as a word, a shorter one is not. Forms of eight characters and more are hidden
    as well where line ends cut them, as programs wrap base64.
    """

    def __init__(self, values: Iterable[str]) -> None:
        known = {one for one in values if len(one.strip()) >= SHORTEST_WORD}
        words = sorted(one for one in known if len(one.strip()) < SHORTEST)
        written = {form for one in known if len(one.strip()) >= SHORTEST for form in forms(one)}
        for line in {line for one in known if "\n" in one or "\r" in one for line in one.splitlines()}:
            written.update(forms(line, encoded=len(line) >= SHORTEST_ENCODED))
        self._words = (
            re.compile("|".join(rf"(?<![^\W_]){re.escape(one)}(?![^\W_])" for one in words)) if words else None
        )
        kinds = (written, set(unescaped_forms(written)))
        self._plain, self._unescaped = (Matcher(kind) for kind in kinds)
        self._across, self._across_unescaped = (
            Matcher(cut for one in kind for cut in (_BREAK.sub("", one), one) if len(cut) >= SHORTEST_ACROSS)
            for kind in kinds
        )

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
        found = [one.span() for one in self._words.finditer(text)] if self._words else []
        if not self._plain:
            return found
        for seen, matcher in _levels(view(text), self._plain, self._unescaped):
            found += [seen.span(*one) for one in matcher.find(seen.text)]
        if self._across and (cut or "\n" in text):
            for seen, matcher in _levels(joined(view(text)), self._across, self._across_unescaped):
                found += [seen.span(*one) for one in matcher.find(seen.text)]
                if cut and (rest := matcher.rest(seen.text)):
                    found.append(seen.span(0, rest))
        return _merged(found)

    def _whole(self, text: str, least: int) -> int:
        """Where the lines begin that may end within a value: `least` or more of its characters."""
        whole = text.rfind("\n") + 1
        if not self._across:
            return whole
        values: list[tuple[int, int]] = []
        seen = joined(view(text))
        complete = cut_escape(seen.text)
        if complete < len(seen.text) and least == 1:
            whole = min(whole, _line_of(text, seen.starts[complete]))
        for level, matcher in _levels(seen, self._across, self._across_unescaped, complete):
            begins = matcher.begins(level.text, least)
            if begins < len(level.text):
                whole = min(whole, _line_of(text, level.starts[begins]))
            values += [level.span(*one) for one in matcher.find(level.text)]
        while cut := [first for first, last in values if first < whole < last]:
            whole = _line_of(text, min(cut))
        return whole


def _levels(
    seen: View, plain: Matcher, replaced: Matcher, complete: int | None = None
) -> Iterator[tuple[View, Matcher]]:
    """The text as it is and with its escapes replaced, each with the forms in which values stand there.

    What stands from `complete` on may be a part of an escape.
    """
    yield seen, plain
    level = View(seen.text[:complete], seen.starts[:complete], seen.ends[:complete])
    if len(level.text) < len(seen.text):
        yield level, replaced
    for one in unescaped_each(level):
        yield one, plain
    for _ in range(TIMES):
        before, level = level.text, unescaped(level)
        if level.text == before:
            return
        yield level, replaced


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

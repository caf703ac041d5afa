"""The text of words that were written as HTML, for the plain half of a mail."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_MARKUP = re.compile(
    r"</?(html|body|p|div|br|span|a|b|i|em|strong|u|ul|ol|li|h[1-6]|table|tr|td|hr)\b[^<>]*>", re.IGNORECASE
)
_BREAKS = {"br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "hr"}
_PARAGRAPHS = {"p", "div", "ul", "ol", "table"}
_UNSEEN = {"script", "style", "head", "title"}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - as the parser calls it
        self._unseen += tag in _UNSEEN
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        if tag in _PARAGRAPHS:
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(re.sub(r"\s+", " ", data))

    def _break(self, tag: str) -> None:
        self.parts.append("\n\n" if tag in _PARAGRAPHS else "\n" if tag in _BREAKS else "")


def plain_text(words: str) -> str:
    """The words, or where they have tags of HTML the text that a browser would show."""
    if not _MARKUP.search(words):
        return words
    reader = _Text()
    reader.feed(words)
    reader.close()
    lines = [line.strip() for line in "".join(reader.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() or words

"""The names that a paper has everywhere, DOI and arXiv id, in the spellings in which they are passed on."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

ARXIV_DOI = "10.48550/arxiv."
"""What the DOIs begin with that arXiv itself gives; its own id follows."""
_LONGEST = 2_000
"""Characters of a text that are looked at: the longest address of a paper."""

_ADDRESS = r"(?:https?://)?(?:[\w-]+\.)+[a-z]{2,}/"
_DOI = re.compile(rf"(?:({_ADDRESS}(?:[^\s?#]*/)?)|doi\s*:?\s*)?(10\.\d{{4,9}}/\S{{1,250}})(?!\S)", re.IGNORECASE)
_ARXIV = re.compile(
    r"(?:(?:https?://)?(?:[\w-]+\.)*(?:arxiv|ar5iv|alphaxiv)\.org/(?:[a-z-]+/)?|arxiv\s*:?\s*)?"
    r"(?:(\d{4}\.\d{4,5})|([a-z-]+)(?:\.[a-z-]+)?/(\d{7}))(?:v\d+)?(?:\.pdf)?"
    r"(?:[/?#]\S*)?(?:\s*\[[\w.-]+\].*)?",  # behind a number arXiv prints its category and day
    re.IGNORECASE | re.ASCII,
)
_DOI_WITHIN = re.compile(r"\bdoi(\.org)?(?::[0-9]+)?\s*[:/]?\s*(10\.[0-9]{4,9}/\S{1,250})", re.IGNORECASE)
_ID = r"([0-9]{4}\.[0-9]{4,5}|[a-z-]+(?:\.[a-z-]+)?/[0-9]{7})(?:v[0-9]+)?"
_ARXIV_WITHIN = re.compile(rf"\barxiv(?:\.org)?\s*:\s*{_ID}(?![0-9])", re.IGNORECASE)
_ARXIV_ADDRESS = re.compile(
    rf"(?:(?:https?://)?(?:[a-z0-9-]+\.)+[a-z]{{2,}}(?::[0-9]+)?/(?:\S*/)?|(?:abs|pdf|html)/){_ID}(?:\.pdf)?(?:[?#]\S*)?",
    re.IGNORECASE,
)
_OPENED, _CLOSED = "(<[{\"'“\u2018«", {")": "(", ">": "<", "]": "[", "}": "{"}
_PUNCTUATION = ".,;:\"'”\u2019»"
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f\u200b-\u200f\u2060\ud800-\udfff\ufeff]")


def doi_of(value: Any) -> str | None:
    """The DOI that a text begins with, in lower case and without an address; None if there is none."""
    match = _DOI.match(_beginning(value))
    if not match:
        return None
    doi = _without_end(re.split("[?#]", match[2])[0].rstrip("/") if match[1] else match[2])
    return None if doi.endswith("/") or "/" not in doi else doi.lower()


def arxiv_id_of(value: Any) -> str | None:
    """The arXiv id in a text, also in the DOI of arXiv's own; None if it holds none.

    It has no version, and of the ids before 2007 no class: math/0309136 and math.GT/0309136 are one paper.
    """
    doi = doi_of(value) or ""
    written = doi[len(ARXIV_DOI) :] if doi.startswith(ARXIV_DOI) else _beginning(value)
    match = _ARXIV.fullmatch(_without_end(written))
    if not match:
        return None
    return match[1] or f"{match[2]}/{match[3]}".lower()


def doi_within(written: str) -> str | None:
    """The DOI that was pasted: as `doi_of`, or one behind `doi` anywhere in the text."""
    if (doi := doi_of(written)) or not (match := _DOI_WITHIN.search(_beginning(written))):
        return doi
    return doi_of(f"https://doi.org/{match[2]}" if match[1] else match[2])


def arxiv_id_within(written: str) -> str | None:
    """The arXiv id that was pasted: as `arxiv_id_of`, behind `arXiv:` anywhere, or at the end of any site's address."""
    doi = doi_within(written)
    if arxiv_id := arxiv_id_of(written) or arxiv_id_of(doi):
        return arxiv_id
    text = _beginning(written)
    match = _ARXIV_WITHIN.search(text)
    if not match and not doi:
        match = _ARXIV_ADDRESS.fullmatch(_without_end(text))
    return arxiv_id_of(match[1]) if match else None


def _beginning(value: Any) -> str:
    """What is seen of the text, from its first letter or number on; "" of what is no text."""
    written = value[:_LONGEST] if isinstance(value, str) else ""
    if "%2f" in written.lower():
        written = unquote(written)
    return _UNSEEN.sub("", written).strip().lstrip(_OPENED)


def _without_end(written: str) -> str:
    """The text without the end of the sentence or of the parentheses in which it stood."""
    while written and (
        written[-1] in _PUNCTUATION
        or (written[-1] in _CLOSED and written.count(written[-1]) > written.count(_CLOSED[written[-1]]))
    ):
        written = written[:-1]
    return written

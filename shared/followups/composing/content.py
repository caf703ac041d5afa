"""What a draft must keep to before a client is sent it, as pure functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.followups.composing.brief import Brief, Draft

FEWEST_WORDS, MOST_WORDS = 5, 10
FEWEST_PARAGRAPHS, MOST_PARAGRAPHS = 3, 5
LONGEST_PARAGRAPH, LONGEST_SUBJECT = 700, 120

_PLACEHOLDER = re.compile(r"\[[^\]\n]*[A-Za-z][^\]\n]*\]|\{\{|\}\}|\{%|<[A-Za-z_ ]+>|\bXX+\b|\bTBD\b|\bLorem ipsum\b")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
# Mail programs also make a link of a name with a path, and of a bare name under a domain that is often used.
_DOMAINS = (
    "com|net|org|info|biz|io|co|us|uk|ca|au|de|eu|me|ly|app|dev|homes|house|realty|estate|properties|link|site|online"
)
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>)\"']+|[\w.+-]+@[\w-]+\.[\w.-]+"
    rf"|\b(?:[a-z0-9-]+\.)+(?:[a-z]{{2,24}}/[^\s<>)\"']*|(?:{_DOMAINS})\b)",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?:January|February|March|April|June|July|August|September|October|November|December"
    r"|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b|\bMay(?= \d)"
)
_GREETING_TO_NOBODY = re.compile(r"^(?:hi|hello|dear|hey)[ \t]*[,!:.]?[ \t]*$|^(?:hi|dear|hey)[ \t]*,", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"^(?:best|best regards|kind regards|regards|sincerely|yours truly|warmly|cheers|thanks),?[ \t]*(?:\n|$)",
    re.IGNORECASE,
)
# Describe the property, never people: what the Fair Housing Act and its like keep out of advertisements.
_HOUSING = re.compile(
    r"\b(?:famil(?:y|ies)[- ](?:friendly|oriented|neighbou?rhood|home)|perfect for (?:a )?(?:young |growing )?"
    r"(?:famil(?:y|ies)|couples?|singles|retirees|seniors)|no (?:children|kids)|adults only|empty nesters?"
    r"|(?:safe|exclusive|desirable|good|bad) (?:neighbou?rhood|area|community)|low[- ]crime|crime[- ]free"
    r"|(?:great|good|best|top|excellent|top-rated) schools?|school (?:quality|ratings?)"
    r"|(?:christian|jewish|muslim|catholic|hindu|white|black|hispanic|asian) (?:area|community|neighbou?rhood)"
    r"|walking distance to (?:the )?(?:church|synagogue|mosque|temple)|able[- ]bodied"
    r"|bachelor pad|mother-in-law suite)\b",
    re.IGNORECASE,
)


def problems(draft: Draft, brief: Brief) -> list[str]:
    """What is wrong with the draft, for its agent to read; none when it may be sent."""
    return [*_shape(draft), *_inventions(draft, brief), *_forbidden(draft)]


def _shape(draft: Draft) -> Iterator[str]:
    words = len(draft.subject.split())
    if not FEWEST_WORDS <= words <= MOST_WORDS or len(draft.subject) > LONGEST_SUBJECT:
        yield f"the subject has {words} words; {FEWEST_WORDS} to {MOST_WORDS} are wanted"
    if len(draft.subject.splitlines()) != 1:
        yield "the subject is not one line"
    greeting, paragraphs = _paragraphs(draft.body)
    if not FEWEST_PARAGRAPHS <= len(paragraphs) <= MOST_PARAGRAPHS:
        yield f"the body has {len(paragraphs)} paragraphs; {FEWEST_PARAGRAPHS} to {MOST_PARAGRAPHS} are wanted"
    if any(len(paragraph) > LONGEST_PARAGRAPH for paragraph in paragraphs):
        yield f"a paragraph is longer than {LONGEST_PARAGRAPH} characters"
    if _GREETING_TO_NOBODY.search(greeting):
        yield "the greeting names nobody"
    if any(_SIGNATURE.search(paragraph) for paragraph in paragraphs[1:]):
        yield "the body has a signature, which is added to every mail"


def _paragraphs(body: str) -> tuple[str, list[str]]:
    """The greeting, and the paragraphs without it."""
    parts = [part.strip() for part in re.split(r"\n\s*\n", body.strip()) if part.strip()]
    if parts and "\n" not in parts[0] and parts[0].endswith((",", "!", ":")):
        return parts[0], parts[1:]
    return (parts[0].split("\n")[0] if parts else ""), parts


def _inventions(draft: Draft, brief: Brief) -> Iterator[str]:
    text, known = f"{draft.subject}\n{draft.body}", brief.known
    numbers = {_plain(number) for number in _NUMBER.findall(known)}
    if invented := [number for number in _NUMBER.findall(text) if _plain(number) not in numbers]:
        yield f"it names numbers that nobody gave: {_shown(invented)}"
    links = {_bare(link) for link in _LINK.findall(brief.vouched)}
    if invented := [link for link in _LINK.findall(text) if _bare(link) not in links]:
        yield f"it has links that the agent did not give: {_shown(invented)}"
    if invented := [word for word in _DATE.findall(text) if word not in known]:
        yield f"it names days that nobody gave: {_shown(invented)}"


def _forbidden(draft: Draft) -> Iterator[str]:
    text = f"{draft.subject}\n{draft.body}"
    if found := _PLACEHOLDER.findall(text):
        yield f"a placeholder is left: {_shown(found)}"
    if found := _HOUSING.findall(text):
        yield f"it describes people, not the property: {_shown(found)}"


def _plain(number: str) -> str:
    return number.replace(",", "")


def _bare(link: str) -> str:
    return re.sub(r"^https?://", "", link.rstrip(".,;:!?").lower())


def _shown(found: list[str]) -> str:
    return ", ".join(dict.fromkeys(one[:60] for one in found[:5]))

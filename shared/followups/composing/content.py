"""What a draft must keep to before a client is sent it, as pure functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shared.followups.composing.inventions import examples, inventions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.followups.composing.brief import Brief, Draft

FEWEST_WORDS, MOST_WORDS = 5, 10
FEWEST_PARAGRAPHS, MOST_PARAGRAPHS = 3, 5
LONGEST_PARAGRAPH, LONGEST_SUBJECT = 700, 120

_PLACEHOLDER = re.compile(
    r"\[[^\]\n]*\]|\{[^}\n]*\}|\{\{|\}\}|\{%|<<?[A-Za-z_ -]+>?>|«[^»\n]*»|_{2,}|%[A-Za-z_]{2,}%|\$[A-Za-z_]{2,}|\bXX+\b"
    r"|\((?:your|client|customer|agent|insert|add|first|last|full|name|date|address|company)\b[^)\n]*\)"
    r"|\b(?:TBD|TBA|TODO|FIXME)\b|\binsert\b[^.\n]{0,40}\bhere\b|\bLorem ipsum\b",
    re.IGNORECASE,
)
_GREETING_TO_NOBODY = re.compile(r"^(?:hi|hello|dear|hey)[ \t]*[,!:.]?[ \t]*$|^(?:hi|dear|hey)[ \t]*,", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"^(?:best|best regards|kind regards|regards|sincerely|yours truly|warmly|cheers|thanks),?[ \t]*(?:\n|$)",
    re.IGNORECASE,
)
# Describe the property, never people: what the Fair Housing Act and its like keep out of advertisements. Broad, since
# an agent can let pass what is meant well, and nobody can take back what was sent.
_PEOPLE = "area|community|neighbou?rhood|residents?|buyers?|tenants?|people|home"
_HOUSING = re.compile(
    r"\b(?:(?<!single-)(?<!single )(?<!multi-)famil(?:y|ies)\b(?! room)(?:[- ]\w+)?|kids?|child(?:ren|hood|less)?"
    r"|newly-?weds?|(?:married )?couples?|singles\b|bachelors?(?: pad)?|mother-in-law suite|empty[- ]?nest(?:ers?)?"
    r"|senior(?:s| citizens?)|retire(?:es?|d|ment)|elderly|older (?:people|adults?|couples?|folks|buyers?)"
    r"|young (?:people|adults?|professionals?|buyers?)|adults?[- ]only|adult (?:community|living)|55\+"
    r"|church(?:es)?|synagogues?|mosques?|temples?|parish|christians?|catholics?|protestants?|jewish|muslims?|hindus?"
    r"|kosher|halal"
    rf"|(?:white|black|asian|hispanic|latino|african|european|immigrant|native) (?:{_PEOPLE})"
    r"|(?:integrated|diverse|exclusive|desirable|restricted|good|bad|rough|nice) (?:neighbou?rhood|area|community)"
    r"|safe(?:r|st|ty|ly)?|crimes?(?:[- ]free)?|low[- ]crime|schools?|school district"
    r"|able[- ]bodied|handicap(?:ped)?|crippled|healthy (?:people|adults?|individuals|buyers?))\b",
    re.IGNORECASE,
)


def problems(draft: Draft, brief: Brief) -> list[str]:
    """What is wrong with the draft, for its agent to read; none when it may be sent."""
    return [
        *_shape(draft),
        *inventions(f"{draft.subject}\n{draft.body}", brief),
        *_forbidden(draft, brief),
    ]


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


def _forbidden(draft: Draft, brief: Brief) -> Iterator[str]:
    text = f"{draft.subject}\n{draft.body}"
    if matches := _PLACEHOLDER.findall(text):
        yield f"a placeholder is left: {examples(matches)}"
    for name in brief.names:  # a Church Street, and a Family Realty, describe nobody
        text = text.replace(name, " ")
    if matches := [match.group() for match in _HOUSING.finditer(text)]:
        yield f"it describes people, not the property: {examples(matches)}"

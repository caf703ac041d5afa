"""Numbers, days and links of a draft that its input lacks. Whatever looks like one counts: an agent can let it pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.followups.composing.brief import Brief

_SMALL = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen"
    "|nineteen|twenty"
)
_LARGE = "thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|dozen|half|quarter"
_VALUES = {word: str(number) for number, word in enumerate(_SMALL.split("|"), 2)}
# One is a number only where something is counted.
_ONE = r"\b(?:one|a single|a couple of|a pair of)\b(?= (?:bed|bath|room|acre|garage|floor|stor(?:e?y|ies)|offer|buyer))"
_NUMBER = rf"\d+(?:[.,]\d+)*|{_ONE}|[\u00bc-\u00be\u2150-\u215e]|\b(?:{_SMALL}|{_LARGE})\b"
# What a number counts: twelve as a house number is no twelve million.
_CURRENCY = r"[$€£¥₹]|\b(?:USD|EUR|GBP|CAD|AUD)(?![A-Za-z])"
_UNIT = (
    r"[%€$£]|percent|per cent|k|m|bn|hundred|thousand|million|billion|grand|bucks|cents?|dollars?|euros?|pounds?"
    r"|USD|EUR|GBP|CAD|AUD|bed(?:room)?s?|bath(?:room)?s?|rooms?|stor(?:e?y|e?ys|ies)|floors?|garages?|acres?|hectares?|sq(?:uare)?|feet|foot|ft|m2|m²|met(?:er|re)s?"
    r"|miles?|km|minutes?|hours?|days?|weeks?|months?|years?|offers?|buyers?|a\.?m\.?|p\.?m\.?|o'clock"
)
_COUNTED = re.compile(
    rf"(?P<currency>{_CURRENCY})?\s?(?P<number>{_NUMBER})(?:[\s-]?(?P<unit>{_UNIT})(?!\w))?", re.IGNORECASE
)

_MONTHS = (
    "January February April June July August September October November December Monday Tuesday Wednesday"
    " Thursday Friday Saturday Sunday"
).replace(" ", "|")
_PARTS = "day|night|week(?:end)?|month|quarter|year|morning|afternoon|evening|spring|summer|autumn|fall|winter"
_WEEKDAYS = "Mon|Tues?|Wednes|Thurs|Fri|Satur|Sun"
# May is a verb, and Sat and Sun are words, unless something beside them says that they are meant.
_DAYS = (
    re.compile(
        rf"\b(?:(?:{_MONTHS})s?|today|tomorrow|tonight|yesterday|noon|midnight|fortnight"
        rf"|(?:this|next|last|coming|the) (?:weekend|(?<!the )(?:(?:{_PARTS})\b|(?:{_WEEKDAYS})(?:day)?\b))"
        r"|new year'?s?|christmas|easter|thanksgiving|hallowe'?en|(?:labou?r|memorial|independence|valentine'?s"
        r"|mother'?s|father'?s|boxing|(?:st\.? )?patrick'?s) day"
        r"|(?:by|until|till) the end of the (?:day|week|month|quarter|year)"
        r"|(?:in|within) (?:an?|one) (?:hour|day|week|month|year)"
        r"|good friday|passover|hanukkah|ramadan|eid|diwali)(?!\w)",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:Jan|Feb|Mar(?:ch)?|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Mon|Tues?|Wed|Thu(?:rs?)?|Fri)\b(?!['\u2019])"
    ),
    re.compile(
        r"\b(?:Sat|Sun)\.|\b(?:JAN|FEB|MARCH|APR|JUN|JUL|AUG|SEPT?|OCT|NOV|DEC|MON|TUES?|WED|THU|FRI|SAT|SUN)\b"
    ),
    re.compile(
        r"\bMay\b(?= (?:\d|the \d|the \w+th))|(?<=\bin )May\b|(?<=\bof )May\b|(?<=\bby )May\b|(?<=\bmid-)May\b"
        r"|(?<=\bmid )May\b|(?<=\buntil )May\b|(?<=\btill )May\b|(?<=\bfrom )May\b|(?<=\bsince )May\b"
        r"|(?<=\bearly )May\b|(?<=\blate )May\b|(?<=\bnext )May\b|(?<=\bthis )May\b|(?<=\blast )May\b"
        r"|(?<=\d )May\b|(?<=\bbefore )May\b|(?<=\bafter )May\b|(?<=\d(?:st|nd|rd|th) )May\b",
        re.IGNORECASE,
    ),
)
# Mail programs make links of bare names too, under any domain, and people read those that are written around it.
_LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]*://[^\s<>)\"']*|\b(?:javascript|data|tel|sms|mailto):[^\s<>)\"']+|[\w.+-]+@[\w-]+\.[\w.-]+"
    r"|(?:[\w-]+\.)+[^\W\d_]{2,24}\b(?::\d+)?(?:/[^\s<>)\"']*)?"
    r"|[\w-]+\s?(?:[\[({]\s?(?:\.|dot)\s?[\])}]|\s\.\s)\s?[^\W\d_]{2,24}\b",
    re.IGNORECASE,
)


def inventions(text: str, brief: Brief) -> Iterator[str]:
    """What the text names that nobody gave, for the agent to read."""
    links = {_bare(link) for link in _LINK.findall(brief.vouched)}
    if invented := [link for link in _LINK.findall(text) if _bare(link) not in links]:
        yield f"it has links that the agent did not give: {examples(invented)}"
    stated = {counted for match in _COUNTED.finditer(brief.facts) for counted in _readings(match)}
    # Of the agent's telephone number no part is a fact by itself.
    without_phone = _LINK.sub(" ", text.replace(brief.agent_phone, " ") if brief.agent_phone else text)
    counted = [match for match in _COUNTED.finditer(without_phone) if _reading(match) not in stated]
    if counted:
        yield f"it names numbers that nobody gave: {examples([match.group().strip() for match in counted])}"
    days = {day.lower() for pattern in _DAYS for day in pattern.findall(brief.facts)}
    if invented := [day for pattern in _DAYS for day in pattern.findall(text) if day.lower() not in days]:
        yield f"it names days that nobody gave: {examples(invented)}"


def examples(texts: list[str]) -> str:
    """The first few of what was found."""
    return ", ".join(dict.fromkeys(text[:60] for text in texts[:5]))


def _reading(match: re.Match[str]) -> tuple[str, str, str]:
    number = match["number"].lower().replace(",", "")
    currency, unit = (match["currency"] or "").upper(), (match["unit"] or "").lower()
    return _VALUES.get(number, number), currency, re.sub(r"\.|(?<=\w)s$", "", unit)


def _readings(match: re.Match[str]) -> Iterator[tuple[str, str, str]]:
    """A number that was given with its unit may be named without it."""
    number, currency, unit = _reading(match)
    yield from ((number, currency, unit), (number, currency, ""), (number, "", unit), (number, "", ""))


def _bare(link: str) -> str:
    return re.sub(r"^https?://", "", link.rstrip(".,;:!?").lower())

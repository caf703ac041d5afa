"""The short way of the mapping gives what the long way gives."""

from __future__ import annotations

from random import Random

import pytest

_CHARACTERS = (
    "aZ09 -~!|/\\^_`@[]{}()<>\"'\t\n\r\x01\x7f\u00a0\u00ad\u00df\u0130\u0131\u180e\u200b\u2003\u2028\u2060\u3000\ufb01"
    "\uff21\ufeff\u00e9\u0301\U0001f48e"
)
_WORDS = (
    "",
    " ",
    "  ",
    "a  b",
    "NONE",
    "none ",
    "n/a",
    "-",
    "null",
    "{}",
    "[1]",
    '{"a": 1}',
    "[",
    "Z",
    "D",
    "d",
    "C",
    "DD",
)
_LINKS = (
    "http://", "https://", "http://x", "https://x", "ftp://x", "HTTPS://x", "https://a b", "https://\u00e9", "https://x\n",
    "https://" + "x" * 2040, "https://" + "x" * 2041, "javascript:alert(1)", " https://x", "",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _database(migrated):
    """Both of these need one."""


async def test_words_without_anything_unusual_become_the_same_the_short_way(diamonds):
    chance = Random(1)
    texts = [*_WORDS, *("".join(chance.choices(_CHARACTERS, k=chance.randrange(8))) for _ in range(5_000))]
    texts += ["x" * n + end for n in (49, 50, 51) for end in ("", "\u00e9")]
    differing = await diamonds.fetch(
        r"""
        select value from (
            select value,
                concat_ws('|', 'GIA', value, 'EX') ~ '[^ -Z\\^-z|~]|  ' as unusual from unnest(%s::text[]) value
        ) v
        where diamonds.plain(value, unusual) is distinct from diamonds.plain(value)
            or diamonds.word(value, unusual) is distinct from diamonds.word(value)
            or diamonds.no_word('f', value, 50, unusual) is distinct from diamonds.no_word('f', value, 50)
            or diamonds.color_grade(value) <> case when value ~ '^[D-Z]$' then ascii(value) - ascii('C') else 99 end
        """,
        texts,
    )
    assert differing == []


async def test_a_link_is_one_that_a_browser_opens(diamonds):
    links = [*_LINKS, None]
    expected = [link for link in _LINKS if link in ("http://x", "https://x", "https://" + "x" * 2040)]
    found = await diamonds.fetch(
        "select link from unnest(%s::text[]) link where diamonds.web_address(link) is not null", links
    )
    assert [link for (link,) in found] == expected

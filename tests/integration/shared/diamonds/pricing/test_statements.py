"""The short way of the mapping gives what the long way gives."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from random import Random

import pytest

from shared.diamonds.ingestion.mapping import BRILLIANT, NIVODA, Mapping
from shared.diamonds.pricing import statements
from shared.platform.stores.postgres import database, rows

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
        where diamonds.plain(value, unusual) is distinct from diamonds.plain(value, true)
            or diamonds.word(value, unusual) is distinct from diamonds.word(value, true)
            or diamonds.no_word('f', value, 50, unusual) is distinct from diamonds.no_word('f', value, 50, true)
            or diamonds.color_grade(value) <> case when value ~ '^[D-Z]$' then ascii(value) - ascii('C') else 99 end
        """,
        texts,
    )
    assert differing == []


async def test_a_link_is_one_that_a_browser_opens(diamonds):
    links = [*_LINKS, None]
    opened = ("http://x", "https://x", "HTTPS://x", "https://" + "x" * 2040)
    found = await diamonds.fetch(
        "select link, diamonds.web_address(link) from unnest(%s::text[]) link"
        " where diamonds.web_address(link) is not null",
        links,
    )
    assert found == [(link, link.replace("HTTPS", "https")) for link in _LINKS if link in opened]


_KEYS = ("a", "b", "0", "1", "-1", "+1", " 1", "a b", "")
_LEAVES = (None, True, 0.305, "x", "", [], {}, [7, {"a": 1}], "null")


def _value(chance: Random, levels: int):
    kind = chance.randrange(4) if levels else 0
    if kind == 1:
        return [_value(chance, levels - 1) for _ in range(chance.randrange(3))]
    if kind:
        return {key: _value(chance, levels - 1) for key in chance.sample(_KEYS, chance.randrange(1, len(_KEYS)))}
    return chance.choice(_LEAVES)


async def test_steps_from_the_nearest_object_find_what_the_whole_path_finds():
    chance = Random(2)
    names = [field.name for field in fields(Mapping) if field.name != "vocabulary"]
    whole = "select " + ", ".join(
        f"payload #>> %({name})s::text[] as {name}, payload #> %({name})s::text[] as {name}_json" for name in names
    )
    for _ in range(60):
        paths = {name: tuple(chance.choices(_KEYS, k=chance.randrange(4))) or None for name in names}
        paths |= {"shape": ("a",), "carats": ("a", "0"), "price": ("a", "0", "b")}
        text = whole.replace("::text[]", "") + " from claimed offset 0"
        text, parameters = statements.followed(text, {name: path for name, path in paths.items() if path})
        payload = json.dumps({key: _value(chance, 4) for key in _KEYS} | chance.choice(({}, {"a": [{"b": 1}]})))
        given = {"payload": payload, **{name: path and list(path) for name, path in paths.items()}}
        claimed = "with claimed as (select %(payload)s::jsonb as payload) "
        async with database() as connection:
            [wanted] = await rows(connection, claimed + whole + " from claimed", given)
            [found] = await rows(connection, claimed + text, {"payload": payload, **parameters})
        assert found == wanted, (payload, paths)


@pytest.mark.parametrize("mapping", [NIVODA, BRILLIANT])
def test_the_statement_is_the_same_each_time(mapping):
    # What it says decides whether failed rows are tried again.
    assert statements.fingerprint(mapping, "cents") == statements.fingerprint(mapping.at({}), "cents")
    assert statements.fingerprint(mapping, "cents") != statements.fingerprint(mapping, "dollars")


def test_the_files_of_a_statement_are_read_once(monkeypatch):
    first = statements.review(NIVODA, "cents")
    monkeypatch.setattr(Path, "read_text", lambda path: pytest.fail(f"{path} was read on the event loop"))
    assert statements.review(NIVODA, "cents") == first

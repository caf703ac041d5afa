"""Values of variables never stand in a file of the platform, however a program prints them."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.apps.commands.masking import Mask

PRINTED = {
    "plain": str,
    "json": json.dumps,
    "json unescaped": lambda value: json.dumps(value, ensure_ascii=False),
    "python": repr,
    "url": quote,
    "form": quote_plus,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
}


@pytest.mark.parametrize("way", PRINTED)
@given(value=st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=8, max_size=30))
def test_a_value_is_masked_however_it_is_printed(way, value):
    shown = Mask([value])(f"before {PRINTED[way](value)} after")
    assert value not in shown
    assert shown.startswith("before")
    assert "***" in shown


def test_the_longest_value_is_masked_first_and_lines_each():
    mask = Mask(["secret", "secret-and-more", "first line\nsecond line"])
    assert mask("secret-and-more, second line") == "***, ***"


def test_a_short_value_is_masked_only_where_it_stands_alone_and_a_shorter_one_never():
    assert Mask(["abc", "on"])("abc, abcd, on") == "***, abcd, on"
    assert Mask([])("as it is") == "as it is"

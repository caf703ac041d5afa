"""Values of variables never stand in a file of the platform, however a program prints them."""

import base64
import json
import time
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


HARD = 'Xk3$9;p@ss~w*rd + <it\'s> "q"&é/z\\n%41&amp;'


@pytest.mark.parametrize(
    "shown",
    [
        "Xk3%249%3Bp%40ss%7Ew*rd+%2B+%3Cit%27s%3E+%22q%22%26%C3%A9%2Fz%5Cn%2541%26amp%3B",
        "Xk3$9%3Bp%40ss~w*rd%20+%20%3Cit%27s%3E%20%22q%22&%C3%A9%2Fz%5Cn%2541&amp%3B",
        "Xk3%249%3Bp@ss%7Ew*rd%20+%20%3Cit%27s%3E%20%22q%22%26%E9/z%5Cn%2541%26amp%3B",
        r"Xk3$9;p@ss~w*rd + \u003cit\u0027s\u003e \"q\"\u0026\u00e9/z\\n%41\u0026amp;",
        r"Xk3$9;p@ss~w*rd + <it's> \"q\"&\u00e9\/z\\n%41&amp;",
        "Xk3$9;p@ss~w*rd + &lt;it&#39;s&gt; &#34;q&#34;&amp;é/z\\n%41&amp;amp;",
        "Xk3$9;p@ss~w*rd + &lt;it&apos;s&gt; &quot;q&quot;&amp;&eacute;/z\\n%41&amp;amp;",
        str(HARD.encode())[2:-1],
        json.dumps(json.dumps(HARD))[3:-3],
        quote(quote(HARD, safe=""), safe=""),
        HARD.encode().hex(" "),
        HARD.encode().hex(":").upper(),
        HARD.replace("'", "'\"'\"'"),
        HARD.replace("\\", "\\\\").replace('"', '\\"').replace("é", "\\303\\251"),
    ],
)
def test_defect_forms_that_programs_of_other_languages_write_stand_in_the_file(shown):
    assert Mask([HARD])(f"before {shown} after") == "before *** after"


def test_a_value_of_thousands_of_lines_is_soon_known():
    began = time.process_time()
    mask = Mask(["\n".join(f"{number:08}" for number in range(2_000)), "pa$$ word " * 50])
    assert mask("00000007 is *** and 00000399") == "*** is *** and ***"
    assert time.process_time() - began < 2

"""Values of secrets are hidden however programs escape them, one within another."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.platform.redaction import HIDDEN, Redactor

HARD = 'Xk3$9;p@ss~w*rd + <it\'s> "q"&é/z\\n%41&amp;'


@pytest.mark.parametrize(
    "shown",
    [
        "Xk3%249%3Bp%40ss%7Ew*rd+%2B+%3Cit%27s%3E+%22q%22%26%C3%A9%2Fz%5Cn%2541%26amp%3B",  # URLSearchParams
        "Xk3$9;p@ss~w*rd%20+%20%3Cit's%3E%20%22q%22&%C3%A9/z%5Cn%2541&amp;",  # encodeURI
        "Xk3$9%3Bp%40ss~w*rd%20+%20%3Cit%27s%3E%20%22q%22&%C3%A9%2Fz%5Cn%2541&amp%3B",  # url.password
        "Xk3%249%3Bp@ss%7Ew*rd%20+%20%3Cit%27s%3E%20%22q%22%26%E9/z%5Cn%2541%26amp%3B",  # escape
        r"Xk3$9;p@ss~w*rd + \u003cit\u0027s\u003e \"q\"\u0026\u00e9/z\\n%41\u0026amp;",  # JSON that is safe in HTML
        r"Xk3$9;p@ss~w*rd + <it's> \"q\"&\u00e9\/z\\n%41&amp;",  # PHP
        r"Xk3$9;p@ss~w*rd \u002B \u003Cit\u0027s\u003E \u0022q\u0022\u0026é/z\\n%41\u0026amp;",  # .NET
        "Xk3$9;p@ss~w*rd + &lt;it&#39;s&gt; &#34;q&#34;&amp;é/z\\n%41&amp;amp;",  # Jinja, Go
        "Xk3$9;p@ss~w*rd + &lt;it&apos;s&gt; &quot;q&quot;&amp;&eacute;/z\\n%41&amp;amp;",
        str(HARD.encode())[2:-1],
        str([HARD.encode()]),
        HARD.encode().hex(" "),
        HARD.encode().hex(":").upper(),
        HARD.replace("'", "'\"'\"'"),
        HARD.replace("'", "'\\''"),
        HARD.replace("\\", "\\\\").replace('"', '\\"').replace("é", "\\303\\251"),  # C, git
        json.dumps(quote(HARD)),
        quote(json.dumps(HARD), safe=""),
        quote(quote(HARD, safe=""), safe=""),
        html.escape(json.dumps(HARD)),
    ],
)
def test_defect_forms_that_programs_of_other_languages_write_stand_in_the_log(shown: str) -> None:
    redacted = Redactor([HARD])(f"before {shown} after")
    assert HIDDEN in redacted
    assert len(redacted) <= len("before &quot;&quot; after") + len(HIDDEN)
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")


@given(st.text(alphabet="ab%41\\nu006&amp;#39+ '\"é", min_size=16, max_size=40).filter(str.strip))
def test_a_value_that_looks_escaped_itself_is_hidden_in_each_form(value: str) -> None:
    redactor = Redactor([value])
    assert HIDDEN in redactor(f"\\{value}%4"), "whatever stands around it"
    for shown in (value, json.dumps(value), json.dumps(json.dumps(value)), quote(value, safe=""), html.escape(value)):
        assert HIDDEN in redactor(f"it is {shown}, then")


@pytest.mark.parametrize("escaped", [json.dumps, lambda value: quote(value, safe="")])
@pytest.mark.parametrize("width", range(3, 12))
def test_an_escaped_value_is_hidden_wherever_line_ends_cut_it(escaped: Callable[[str], str], width: int) -> None:
    shown = escaped("p~ss\"w<o>rd'1&more")
    lines = [shown[at : at + width] for at in range(0, len(shown), width)]
    redactor, seen, rest = Redactor(["p~ss\"w<o>rd'1&more"]), "", ""
    for line in ["first", *lines, "last"]:
        part, rest = redactor.split(f"{rest}{line}\n")
        seen += part
    seen += redactor(rest)
    assert not set("pswrdomre") & set(seen.removeprefix("first\n").removesuffix("last\n"))

"""Values of secrets are hidden wherever text is shown, in whatever form programs print them."""

from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.platform.redaction import HIDDEN, Redactor
from shared.platform.redaction.secret_forms import SHORTEST

TRICKY = 'pass "word"/ä?&=\\+\'~!(secret)'


@given(st.lists(st.text(min_size=SHORTEST), max_size=5), st.text(), st.text())
def test_no_value_is_left_in_redacted_text(values: list[str], before: str, after: str) -> None:
    text = Redactor(values)("".join([before, *values, after]))
    for value in values:
        if len(value.strip()) >= SHORTEST and value not in HIDDEN:
            assert value not in text.replace(HIDDEN, "\0")


def test_each_line_of_a_value_is_hidden() -> None:
    key = "-----BEGIN KEY-----\ncanary-line-1\ncanary-line-2"
    assert "canary" not in Redactor([key])("x canary-line-1 y\ncanary-line-2")
    assert "canary" not in Redactor([key])(json.dumps({"key": key}))


def test_the_longer_of_two_values_is_hidden_whole() -> None:
    assert Redactor(["canary", "canary-and-more"])("canary-and-more") == HIDDEN


@pytest.mark.parametrize(
    "shown",
    [
        json.dumps({"A": TRICKY}),
        json.dumps({"A": TRICKY}, ensure_ascii=False),
        str({"A": TRICKY}),
        quote(TRICKY),
        quote(TRICKY, safe=""),
        quote(TRICKY, safe="!'()*"),
        quote_plus(TRICKY),
        urlencode({"A": TRICKY}).lower(),
        base64.b64encode(TRICKY.encode()).decode(),
        base64.urlsafe_b64encode(TRICKY.encode()).decode(),
        json.dumps(json.dumps({"A": TRICKY})),
        json.dumps(json.dumps({"A": TRICKY}, ensure_ascii=False), ensure_ascii=False),
        html.escape(TRICKY),
        html.escape(TRICKY, quote=False),
        TRICKY.encode().hex(),
        TRICKY.encode().hex().upper(),
    ],
    ids=[
        *("json", "json-utf8", "python", "url", "url-all", "url-js", "form", "lower", "base64", "base64url"),
        *("json-in-json", "json-in-json-utf8", "html", "html-text", "hex", "hex-upper"),
    ],
)
def test_defect_forms_of_a_value_stand_in_the_log(shown: str) -> None:
    redacted = Redactor([TRICKY])(f"printed {shown} here")
    assert HIDDEN in redacted
    assert not any(part in redacted for part in ("pass", "word", "secret"))
    assert redacted.startswith("printed ")
    assert redacted.endswith(" here")


@given(st.text(min_size=8, max_size=40).filter(str.strip), st.binary(max_size=5), st.binary(max_size=5))
def test_base64_of_more_than_the_value_shows_next_to_nothing_of_it(value: str, before: bytes, after: bytes) -> None:
    data = value.encode(errors="replace")
    text = Redactor([value])(base64.b64encode(before + data + after).decode())
    assert HIDDEN in text
    # At most a character of four each side also holds bits of the value.
    assert len(text.replace(HIDDEN, "")) <= (len(before) * 8 + 5) // 6 + (len(after) * 8 + 5) // 6 + 2 + 3


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("PIN=739", "PIN=***"),
        ("pin_739 739, (739)", "pin_*** ***, (***)"),
        ("built in 1739 ms, v7390", "built in 1739 ms, v7390"),
    ],
)
def test_defect_a_short_value_stands_in_the_log(text: str, redacted: str) -> None:
    assert Redactor(["739"])(text) == redacted


def test_two_characters_keep_no_secret() -> None:
    assert Redactor(["1", "on", ""])("1 request on port 1") == "1 request on port 1"


@given(st.text(alphabet="abcdefgh0123", min_size=12, max_size=60), st.integers(10, 76), st.integers(0, 3))
def test_wrapped_base64_is_hidden_at_any_width(value: str, width: int, before: int) -> None:
    encoded = base64.b64encode(b"x" * before + value.encode()).decode()
    wrapped = "\n".join(encoded[at : at + width] for at in range(0, len(encoded), width))
    hidden = Redactor([value])(f"first\n{wrapped}\nlast")
    core = base64.b64encode(bytes(before) + value.encode()).decode()[
        (0, 2, 3, 4)[before] : (before + len(value)) * 8 // 6
    ]
    assert core not in hidden.replace("\n", "")
    assert (hidden.startswith("first\n"), hidden.endswith("\nlast")) == (True, True)


@given(st.text(alphabet="abcdefgh", min_size=8, max_size=20), st.data())
def test_a_stream_shows_no_part_of_a_value_however_it_is_cut(value: str, data: st.DataObject) -> None:
    text = f"12 34\n56{value}78\n90\n"
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text) - 1), max_size=5)))
    redactor, shown, rest = Redactor([value]), "", ""
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        # A cut is a line end, as where a program's output is cut into lines.
        piece = text[start:end] if text[start:end].endswith("\n") else text[start:end] + "\n"
        part, rest = redactor.split(rest + piece)
        shown += part
    shown += redactor(rest)
    assert value not in shown.replace("\n", "")
    assert shown.replace("\n", "").replace(HIDDEN, "") == "12 34567890"


def test_what_is_no_beginning_of_a_value_is_not_held_back() -> None:
    assert Redactor(["canary-secret"]).split("building\ndone\n") == ("building\ndone\n", "")
    assert Redactor(["canary-secret"]).split("building\nit is canary-\n") == ("building\n", "it is canary-\n")


def test_of_a_text_that_is_cut_within_a_value_no_part_of_it_is_left() -> None:
    value = "".join(chr(65 + number % 26) for number in range(300))
    wrapped = base64.encodebytes(value.encode()).decode()
    shown = Redactor([value]).end(f"first\n{wrapped}last\n", 20)
    assert shown.endswith("last\n")
    assert set(shown.removesuffix("last\n")) <= set("*\n")
    assert Redactor([value]).end("short\n", 20) == "short\n"


@given(st.text(alphabet="abcdefgh", min_size=12, max_size=40), st.integers(3, 20), st.integers(0, 80))
def test_a_reader_may_begin_within_a_value_and_is_shown_no_part_of_it(value: str, width: int, place: int) -> None:
    lines = [value[at : at + width] for at in range(0, len(value), width)]
    text = "".join(f"{line}\n" for line in ["12 34", *lines, "90"])
    place = min(place, len(text))
    shown, length = Redactor([value]).part(text[:place], text[place:])
    assert length == len(text) - place
    assert not set(shown) & set("abcdefgh")


def test_the_rest_of_a_value_that_began_before_the_text_is_hidden() -> None:
    redactor = Redactor(["canary-secret-4711"])
    assert redactor.part("", "cret-4711\nnext\n")[0] == "***\nnext\n"
    assert redactor.end("cret-4711\nnext\n", 100) == "***\nnext\n"
    assert redactor.part("", "11\nnext\n")[0] == "11\nnext\n"


def test_last_lines_that_begin_a_value_wait_for_more() -> None:
    redactor = Redactor(["canary-secret-4711"])
    assert redactor.part("a\n", "b\nit is canary-\n") == ("b\n", 2)
    assert redactor.part("a\ncanary-\n", "secret-\n") == ("", 0)
    assert redactor.part("", "it ends with can\n") == ("it ends with can\n", 17)
    assert redactor.end("b\nit is canary-\n", 100, goes_on=True) == "b\n"
    assert redactor.end("b\nit is canary-\n", 100) == "b\nit is canary-\n"


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


def test_defect_a_value_of_thousands_of_lines_stops_everybody_for_seconds() -> None:
    value = "\n".join(f"{number:04}" for number in range(3_900))
    text = "".join(f"{number:07} is logged\n" for number in range(1_000))
    began = time.process_time()
    Redactor([value]).split(text)
    assert time.process_time() - began < 0.5

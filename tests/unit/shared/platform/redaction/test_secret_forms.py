"""Values of secrets are hidden in every form, and a search for many takes as long as for one."""

from __future__ import annotations

import base64
import html
import json
import time
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.platform.redaction import HIDDEN, Redactor

TRICKY = 'pass "word"/ä?&=\\+\'~!(secret)'


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


def test_defect_a_value_of_thousands_of_lines_stops_everybody_for_seconds() -> None:
    value = "\n".join(f"{number:04}" for number in range(3_900))
    text = "".join(f"{number:07} is logged\n" for number in range(1_000))
    began = time.process_time()
    Redactor([value]).split(text)
    assert time.process_time() - began < 0.5

"""Values of secrets are hidden wherever text is shown, in whatever form programs print them."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.deploys.redaction import HIDDEN, SHORTEST, Redactor

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
    ],
    ids=["json", "json-utf8", "python", "url", "url-all", "url-js", "form", "lower", "base64", "base64url"],
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

"""Values of secrets are hidden wherever text is shown, in whatever form programs print them."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.platform.redaction import HIDDEN, Redactor
from shared.platform.redaction.secret_forms import SHORTEST


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

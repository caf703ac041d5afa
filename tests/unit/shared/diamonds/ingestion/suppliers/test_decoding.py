"""Odd JSON of a supplier: whatever one value is, the others are read."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.diamonds.ingestion.suppliers.decoding import MOST_LEVELS, TOO_DEEP, decode
from shared.platform.errors import TerminalError

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)
texts = st.dictionaries(st.text(st.sampled_from('[]{}"\\ a\n'), max_size=8), st.just({}), min_size=1, max_size=4)


@given(values)
def test_usual_json_is_read_as_it_is(value):
    assert decode(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "odd",
    ["9" * 5000, "-" + "9" * 5000, "1" + "0" * 5000 + ".5", "[" * 20_000 + "]" * 20_000,
     '{"a":' * 20_000 + "1" + "}" * 20_000, '["[", ' * 5000 + "1" + "]" * 5000,
     '["\\\\", "]\\"", ' * 2000 + "1" + "]" * 2000],
    ids=["digits", "negative", "fraction", "lists", "objects", "brackets in text", "closing brackets in text"],
)  # fmt: skip
def test_an_item_of_thousands_of_digits_or_levels_leaves_the_others_readable(odd):
    body = f'{{"items": [{{"id": "a"}}, {{"id": "odd", "price": {odd}}}, {{"id": "b", "note": "}}]"}}]}}'
    items = decode(body.encode())["items"]
    assert [item["id"] for item in items] == ["a", "odd", "b"]
    assert items[2]["note"] == "}]"
    assert len(str(items[1]["price"])) < 10_000
    json.dumps(items)


def test_what_lies_too_deep_is_named_and_the_rest_stays():
    inner = json.loads("[" * 900 + "]" * 900)
    text = json.dumps({"deep": 0, "next": [1, {"x": "y"}]}).replace("0", "[" * 3000 + "]" * 3000, 1)
    found = decode(text.encode())
    assert found["next"] == [1, {"x": "y"}]
    level = found["deep"]
    for _ in range(MOST_LEVELS - 3):
        [level] = level
    assert level == [TOO_DEEP]
    assert inner == json.loads(json.dumps(inner))


@given(texts)
def test_brackets_and_quotes_in_texts_do_not_count_as_levels(words):
    inner = json.dumps(words)
    odd = "[" * (MOST_LEVELS - 2) + inner + "]" * (MOST_LEVELS - 2)
    assert TOO_DEEP not in json.dumps(decode(odd.encode()))
    assert TOO_DEEP in json.dumps(decode(f"[[{odd}]]".encode()))


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e999", float("inf")), ("[-Infinity]", [float("-inf")]), ('"\\ud800"', "\ud800"), ('{"a": 1, "a": 2}', {"a": 2}),
     ("1" * 60, int("1" * 60)), ("0.305", 0.305), ("1E2", 100.0), ("-0", 0)],
)  # fmt: skip
def test_what_json_reads_is_read_as_json_does(text, value):
    assert decode(text.encode()) == value
    assert decode(text.encode("utf-16")) == value


@pytest.mark.parametrize(
    "odd", ["[" * 7_000_000 + "]" * 7_000_000, ",".join(["[" * 70 + "]" * 70] * 100_000)], ids=["one", "many"]
)
def test_a_page_of_brackets_is_refused_before_it_costs_seconds(odd):
    body = f'{{"items": [{odd}]}}'.encode()
    began = time.process_time()
    with pytest.raises(TerminalError, match="more than 2,000,000 brackets") as refused:
        decode(body)
    assert refused.value.code == "supplier-answer-too-large"
    assert time.process_time() - began < 2


def test_of_a_page_that_is_too_deep_fewer_brackets_are_read():
    body = ("[" + ",".join(["[" * 70 + "]" * 70] * 2_000) + "]").encode()
    with pytest.raises(TerminalError, match="more than 200,000 brackets"):
        decode(body)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1,", b"[" * 5000, b"\xff\xfe{", b"]" * 5000])
def test_what_is_no_json_is_refused(body):
    with pytest.raises(ValueError):
        decode(body)

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.settings.expressions import (
    ExpressionError,
    format_date,
    resolve_parameters,
    resolve_settings,
    template_pattern,
)

NOW = datetime(2026, 3, 4, 15, 6, 7, 89000, tzinfo=UTC)


def resolve(text, **data):
    return resolve_parameters(text, data, function="tidy", now=NOW)


def test_settings():
    assert resolve_settings("%A%-x-%B%", {"A": "1", "B": "%A%"}) == "1-x-%A%"
    with pytest.raises(ExpressionError, match="'%C%' does not resolve to a value"):
        resolve_settings("%C%", {})


@pytest.mark.parametrize(
    ("text", "data", "expected"),
    [
        ("orders/{id}.json", {"id": "7"}, "orders/7.json"),
        ("{ID}", {"id": 7}, "7"),
        ("{order.customer.name}", {"order": {"customer": {"name": "x"}}}, "x"),
        ("{flag}", {"flag": True}, "True"),
        ("{sys.methodname}", {}, "tidy"),
        ("{DateTime}", {}, "2026-03-04T15-06-07Z"),
        ("{datetime:yyyy/MM/dd HH:mm:ss.fff}", {}, "2026/03/04 15:06:07.089"),
        ("no parameters", {}, "no parameters"),
    ],
)
def test_parameters(text, data, expected):
    assert resolve(text, **data) == expected


@pytest.mark.parametrize(
    ("form", "pattern"),
    [("", r"[0-9a-f-]{36}"), (":N", "[0-9a-f]{32}"), (":B", r"\{[0-9a-f-]{36}\}"), (":D", r"[0-9a-f-]{36}")],
)
def test_random_guids(form, pattern):
    first, second = resolve(f"{{rand-guid{form}}}"), resolve(f"{{rand-guid{form}}}")
    assert re.fullmatch(pattern, first)
    assert first != second


def test_a_parameter_without_value_is_named_with_what_there_is():
    with pytest.raises(ExpressionError, match=r"No value for named parameter 'id'[.] This trigger offers: name, order"):
        resolve("{id}", order=1, name=2)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("yyyy-MM-dd", "2026-03-04"),
        ("yy M d", "26 3 4"),
        ("MMM dddd", "Mar Wednesday"),
        ("hh:mm tt", "03:06 PM"),
        ("'at' HH\\h", "at 15h"),
        ("fffffff", "0890000"),
        ("", "2026-03-04T15-06-07Z"),
    ],
)
def test_date_formats(pattern, expected):
    assert format_date(NOW, pattern) == expected


@pytest.mark.parametrize(
    ("template", "text", "expected"),
    [
        ("uploads/{name}", "uploads/a/b.txt", {"name": "a/b.txt"}),
        ("uploads/{name}.{extension}", "uploads/a.b.txt", {"name": "a", "extension": "b.txt"}),
        ("uploads/x-{id}.csv", "uploads/x-7.csv", {"id": "7"}),
        ("uploads/x-{id}.csv", "uploads/y-7.csv", None),
    ],
)
def test_blob_paths_give_their_parameters(template, text, expected):
    found = template_pattern(template).match(text)
    assert (found.groupdict() if found else None) == expected


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), st.text(max_size=10), max_size=4))
def test_every_parameter_is_replaced_and_nothing_else(data):
    data = {name: value for name, value in data.items() if name != "datetime"}
    text = "start" + "".join(f"<{{{name}}}>" for name in data) + "end"
    assert resolve(text, **data) == "start" + "".join(f"<{value}>" for value in data.values()) + "end"

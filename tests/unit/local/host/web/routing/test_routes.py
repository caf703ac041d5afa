import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.web.routing.constraints import RouteInvalid
from local.host.web.routing.routes import Route


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("api/hello", "/api/hello", {}),
        ("api/hello", "/API/Hello/", {}),
        ("api/hello", "/api/hello/x", None),
        ("api/hello/{name}", "/api/hello", None),
        ("api/hello/{name?}", "/api/hello", {}),
        ("api/hello/{name?}", "/api/hello/you/", {"name": "you"}),
        ("api/{a=1}/{b=2}", "/api", {"a": "1", "b": "2"}),
        ("api/{a=1}/{b=2}", "/api/x", {"a": "x", "b": "2"}),
        ("api/{a?}/{b?}", "/api/x/y", {"a": "x", "b": "y"}),
        ("api/{*rest}", "/api", {}),
        ("api/{*rest}", "/api/a/b/", {"rest": "a/b/"}),
        ("{**rest}", "/a/b", {"rest": "a/b"}),
        ("{*route}", "/", {}),
        ("", "/", {}),
        ("", "/a", None),
        ("api/{file}.{extension?}", "/api/a.b.c", {"file": "a.b", "extension": "c"}),
        ("api/{file}.{extension?}", "/api/a", {"file": "a"}),
        ("api/{from}-{to}", "/api/1-2", {"from": "1", "to": "2"}),
        ("api/v{version:int}/x", "/api/v12/x", {"version": "12"}),
        ("api/v{version:int}/x", "/api/vx/x", None),
        ("api/{id}", "/api/a%2Fb", {"id": "a%2Fb"}),
        ("api/{id}", "/api/a/b", None),
        ("api/{{lit}}/{a}", "/api/{lit}/x", {"a": "x"}),
        ("api/{a:regex(^x/y$)}", "/api/x", None),
    ],
)
def test_templates(template, path, expected):
    assert Route(template).match(path) == expected


@pytest.mark.parametrize(
    ("constraint", "fits", "does_not"),
    [
        ("int", ["5", "-7", "+3", "2147483647"], ["abc", "1.5", "2147483648", "\u0665"]),
        ("long", ["9223372036854775807"], ["9223372036854775808"]),
        ("bool", ["true", "FALSE"], ["1", "yes"]),
        ("double", ["1", "1.5", "-2e3", ".5"], ["x", "1..2"]),
        ("decimal", ["1,000.5"], ["e"]),
        ("guid", ["0f8fad5b-d9cb-469f-a165-70867728950e", "0f8fad5bd9cb469fa16570867728950e"], ["0f8fad5b", "x"]),
        ("datetime", ["2026-01-31", "2026-01-31T10:00:00", "12-31-2026"], ["2026-13-01", "yesterday"]),
        ("alpha", ["abcXYZ"], ["a1", "\u00e4"]),
        ("length(3)", ["abc"], ["ab", "abcd"]),
        ("length(1,2)", ["a", "ab"], ["abc"]),
        ("minlength(2)", ["ab"], ["a"]),
        ("maxlength(2)", ["ab"], ["abc"]),
        ("min(5)", ["5", "50"], ["4", "x"]),
        ("max(5)", ["-5", "5"], ["6"]),
        ("range(1,9)", ["1", "9"], ["0", "10"]),
        ("regex(^\\d{{2}}$)", ["12"], ["1", "123"]),
        ("int:range(1,9)", ["3"], ["30", "x"]),
    ],
)
def test_constraints(constraint, fits, does_not):
    route = Route(f"a/{{value:{constraint}}}")
    assert [value for value in fits if route.match(f"/a/{value}") != {"value": value}] == []
    assert [value for value in does_not if route.match(f"/a/{value}") is not None] == []


@pytest.mark.parametrize(
    "template",
    [
        *("{", "a/{b", "a//b", "{a}/{A}", "{*rest}/more", "{a:nonsense}", "{a:range(x,y)}", "{:int}", "{a:regex([)}"),
        *(
            "a{x:int}-{y?}",
            "a.{x?}",
            "{x?}.b",
            "{x}.{y?}.c",
            "b/{x}{y}",
            "n?x",
            "x-{*rest}",
            "{*rest?}",
            "{a=1?}",
            "{***a}",
        ),
        *("a}", "{a}}", "{{{a}}}", "{a:regex(^\\d{2}$)}"),
    ],
)
def test_templates_that_aspnet_refuses(template):
    with pytest.raises(RouteInvalid):
        Route(template)


names = st.text(string.ascii_letters + string.digits + "-_.~ äß", min_size=1, max_size=12).filter(
    lambda text: text.strip()
)


@given(st.lists(names, min_size=1, max_size=5))
def test_what_goes_into_a_path_comes_out_of_it(values):
    template = "/".join(f"{{p{number}}}" for number in range(len(values)))
    assert Route(template).match("/" + "/".join(values)) == {f"p{number}": value for number, value in enumerate(values)}


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_template_and_no_path_breaks_it(template, path):
    try:
        route = Route(template)
    except RouteInvalid:
        return
    found = route.match("/" + path)
    assert found is None or all(isinstance(value, str) and value for value in found.values())

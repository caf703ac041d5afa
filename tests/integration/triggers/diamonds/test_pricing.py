"""The routes of pricing as their clients see them."""

import pytest

RULES = "/api/v2/pricing-rules"


async def test_a_rule_over_http_from_its_beginning_to_its_end(call):
    terms = {"carat_min": 0.5, "carat_max": 1.25, "shapes": ["oval"], "markup_ratio": 1.2345, "rating": 7}
    status, created, headers = await call("POST", RULES, terms)
    assert (status, headers["ETag"], headers["Location"]) == (201, '"1"', f"{RULES}/{created['id']}")
    assert {name: created[name] for name in terms} == terms | {"shapes": ["OVAL"]}
    one = f"{RULES}/{created['id']}"
    assert (await call("GET", one))[:2] == (200, created)
    status, changed, headers = await call("PUT", one, {"markup_ratio": 2}, **{"If-Match": '"1"'})
    assert (status, changed["shapes"], changed["markup_ratio"], headers["ETag"]) == (200, None, 2.0, '"2"')
    status, listed, _ = await call("GET", RULES)
    assert (status, listed["data"], listed["repricings"]) == (200, [changed], [])
    for method, body in (("PUT", {"markup_ratio": 3}), ("DELETE", None)):
        status, refused, _ = await call(method, one, body, **{"If-Match": '"1"'})
        assert (status, refused["code"]) == (412, "changed-meanwhile")
        status, refused, _ = await call(method, one, body)
        assert (status, refused["errors"][0]["pointer"]) == (400, "#/If-Match")
    assert (await call("DELETE", one, **{"If-Match": '"2"'}))[:2] == (204, None)
    assert (await call("GET", one))[0] == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"markup_ratio": 0}, "markup_ratio"),
        ({"markup_ratio": 10}, "markup_ratio"),
        ({"markup_ratio": "NaN"}, "markup_ratio"),
        ({"markup_ratio": 1.23456}, "markup_ratio"),
        ({}, "markup_ratio"),
        ({"carat_min": 2, "carat_max": 1}, "carat_max"),
        ({"carat_min": -1}, "carat_min"),
        ({"carat_max": 12345}, "carat_max"),
        ({"shapes": []}, "shapes"),
        ({"shapes": ["  "]}, "shapes/0"),
        ({"shapes": ["ROUND\u0000"]}, "shapes/0"),
        ({"rating": 11}, "rating"),
        ({"priority": 2**31}, "priority"),
        ({"feed": "Nivoda!"}, "feed"),
        ({"feed": "unknown"}, "feed"),
        ({"markup": 1}, "markup"),
    ],
)
async def test_unusable_terms_name_the_field(call, wrong, field):
    terms = wrong if wrong == {} else {"markup_ratio": 1.2} | wrong
    status, found, _ = await call("POST", RULES, terms)
    assert (status, found["errors"][0]["pointer"]) == (400, f"#/{field}")
    if terms:
        status, found, _ = await call("POST", f"{RULES}/preview", {"rule": terms})
        assert (status, found["errors"][0]["pointer"]) == (400, f"#/rule/{field}")


async def test_a_preview_of_nothing_and_of_a_rule_that_is_not_there(call):
    assert (await call("POST", f"{RULES}/preview", {}))[1]["errors"][0]["pointer"] == "#/rule"
    assert (await call("POST", f"{RULES}/preview", {"rule_id": 7}))[1]["code"] == "unknown-rule"


async def test_a_preview_over_http(call, offers):
    await offers.offer({}, {"shape": "OVAL"}, {"shape": "OVAL", "feed": "second"})
    asked = {"rule": {"shapes": ["oval"], "markup_ratio": 1.25, "rating": 2}}
    status, told, _ = await call("POST", f"{RULES}/preview", asked)
    assert status == 200
    assert {name: told[name] for name in ("diamonds", "fitting", "changed", "difference")} == {
        "diamonds": 3, "fitting": 2, "changed": 2, "difference": 200.0,
    }  # fmt: skip
    assert [one["feed"] for one in told["feeds"]] == ["nivoda", "second"]
    assert (await call("GET", RULES))[1]["data"] == []


async def test_only_who_may_set_prices_may(call):
    for method, url in (
        ("GET", RULES),
        ("POST", RULES),
        ("POST", f"{RULES}/preview"),
        ("POST", "/api/v2/triggers/reprice"),
    ):
        assert (await call(method, url, {"markup_ratio": 1.2}, **{"X-Admin-Key": "guess"}))[0] == 401
    assert (await call("GET", RULES))[1]["data"] == []

from http.cookies import SimpleCookie

import pytest

from local.host.web.cookies import set_cookie


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a=1|2", "a=1%7C2; domain=; path="),
        ("a=b; Path=/; SameSite=Strict", "a=b; domain=; path=/; samesite=strict"),
        ("a=b; Path=/; SameSite=None; Secure", "a=b; domain=; path=/; secure; samesite=none"),
        ("a=b; Path=/; SameSite=Whatever; HttpOnly", "a=b; domain=; path=/; httponly"),
        ("a=b; Domain=example.com; Path=/x; Max-Age=60.9", "a=b; max-age=60; domain=example.com; path=/x"),
        (
            "a=b; Path=/; Expires=Thu, 12-Jan-2017 13:55:08 GMT",
            "a=b; expires=Thu, 12 Jan 2017 13:55:08 GMT; domain=; path=/",
        ),
        (
            "a=b; Path=/; Expires=Thu, 12 Jan 2017 13:55:08 GMT",
            "a=b; expires=Thu, 12 Jan 2017 13:55:08 GMT; domain=; path=/",
        ),
    ],
)
def test_a_cookie_is_written_anew(text, sent):
    (cookie,) = SimpleCookie(text).values()
    assert set_cookie(cookie) == sent


def test_a_date_of_another_form_and_zone_is_the_same_moment():
    cookie = SimpleCookie({"a": "b"})["a"]
    cookie["expires"] = "2026-05-01T02:00:00+02:00"
    assert set_cookie(cookie) == "a=b; expires=Fri, 01 May 2026 00:00:00 GMT; domain=; path="


@pytest.mark.parametrize(
    ("name", "value"),
    [("expires", "soon"), ("expires", 60), ("max-age", "soon"), ("max-age", "inf"), ("max-age", "-1")],
)
def test_what_the_worker_cannot_send_is_refused_by_name(name, value):
    cookie = SimpleCookie({"a": "b"})["a"]
    cookie[name] = value
    with pytest.raises(ValueError, match="the cookie 'a' cannot be sent"):
        set_cookie(cookie)

from http.cookies import SimpleCookie

import azure.functions as func
import pytest

from local.host.worker import converters, cookies
from local.host.worker.cookies import set_cookie


@pytest.fixture(autouse=True)
def older_python(monkeypatch):
    """Reads dates in any form, as the worker does up to Python 3.12."""
    monkeypatch.setattr(cookies, "_STRICT_DATES", (99, 0))


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


@pytest.mark.parametrize("seconds", ["-1", "inf", "nan"])
def test_what_dotnet_refuses_is_refused_by_name(seconds):
    cookie = SimpleCookie({"a": "b"})["a"]
    cookie["max-age"] = seconds
    with pytest.raises(ValueError, match="the cookie 'a' cannot be sent"):
        set_cookie(cookie)


@pytest.mark.parametrize(
    ("attribute", "error"),
    [
        ("Expires=Thu, 99-Jan-2017 13:55:08 GMT", "day is out of range|Unknown string format"),
        ("Max-Age=soon", "Cannot parse value soon of 'cookie.maxAge' to float."),
    ],
)
def test_what_the_worker_cannot_send_fails_the_run_as_there(attribute, error):
    response = func.HttpResponse("x")
    response.headers.add("Set-Cookie", f"a=b; {attribute}")
    with pytest.raises((ValueError, TypeError), match=error):
        converters.encode("http", response, None)


def test_from_python_3_13_on_a_date_has_the_form_of_http_alone(monkeypatch):
    monkeypatch.setattr(cookies, "_STRICT_DATES", (3, 0))
    cookie = SimpleCookie({"a": "b"})["a"]
    cookie["expires"] = "Thu, 12 Jan 2017 13:55:08 GMT"
    assert "expires=Thu, 12 Jan 2017 13:55:08 GMT" in set_cookie(cookie)
    for other in ("Thu, 12-Jan-2017 13:55:08 GMT", "2026-05-01T02:00:00+02:00", "tomorrow"):
        cookie["expires"] = other
        with pytest.raises(ValueError, match="does not match format"):
            set_cookie(cookie)

"""HTTP clients that are shared by tenants keep no cookies."""

from __future__ import annotations

from http.cookiejar import CookieJar, DefaultCookiePolicy


def no_cookies() -> CookieJar:
    """A cookie jar that stays empty."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))

"""A cookie of an HTTP function as the worker reads it and the host writes it anew."""

from datetime import UTC
from email.utils import format_datetime
from http.cookies import Morsel
from urllib.parse import quote

_SAME_SITE = {"lax", "strict", "none"}


def set_cookie(cookie: "Morsel[str]") -> str:
    """The value of the Set-Cookie header. Raises ValueError for what the worker cannot send."""
    parts = [f"{cookie.key}={quote(cookie.value, safe='')}"]
    if cookie["expires"]:
        parts.append(f"expires={_date(cookie)}")
    if cookie["max-age"]:
        parts.append(f"max-age={_seconds(cookie)}")
    # The host writes empty ones, too: a browser sends such a cookie to the folder of the request alone.
    parts.append(f"domain={cookie['domain']}")
    parts.append(f"path={cookie['path']}")
    if cookie["secure"]:
        parts.append("secure")
    if (same_site := str(cookie["samesite"]).lower()) in _SAME_SITE:
        parts.append(f"samesite={same_site}")
    if cookie["httponly"]:
        parts.append("httponly")
    return "; ".join(parts)


def _date(cookie: "Morsel[str]") -> str:
    """In any form that dateutil reads, as in the worker; without a zone it is the machine's."""
    from dateutil import parser  # noqa: PLC0415 - few functions set cookies that expire

    try:
        when = parser.parse(cookie["expires"])
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"the cookie '{cookie.key}' cannot be sent: its date cannot be read: {error}") from error
    return format_datetime(when.astimezone(UTC), usegmt=True)


def _seconds(cookie: "Morsel[str]") -> int:
    try:
        seconds = int(float(cookie["max-age"]))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"the cookie '{cookie.key}' cannot be sent: {error}") from error
    if seconds < 0:
        raise ValueError(
            f"the cookie '{cookie.key}' cannot be sent: .NET refuses a negative Max-Age. Use 0 to delete it."
        )
    return seconds

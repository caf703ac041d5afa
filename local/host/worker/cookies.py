"""A cookie of an HTTP function: what the worker reads of it, and what the host writes of that."""

import logging
import sys
from datetime import UTC, datetime
from email.utils import format_datetime
from http.cookies import Morsel, SimpleCookie
from typing import Any, cast
from urllib.parse import quote

from azure.functions import meta

_STRICT_DATES = (3, 13)
_SAME_SITE = {"lax", "strict", "none"}


def check_cookies(answer: meta.Datum) -> None:
    """Read the cookies of an answer. Raises for one that the worker cannot send, as there: the run fails."""
    cookies = cast("list[SimpleCookie] | None", cast("dict[str, Any]", answer.value).get("cookies"))
    for cookie in cookies or []:
        for one in cookie.values():
            _expires(one)
            _max_age(one)


def set_cookie(cookie: "Morsel[str]") -> str:
    """The value of the Set-Cookie header. Raises ValueError for what .NET refuses to send."""
    parts = [f"{cookie.key}={quote(cookie.value, safe='')}"]
    if (when := _expires(cookie)) is not None:
        parts.append(f"expires={format_datetime(when.astimezone(UTC), usegmt=True)}")
    if (seconds := _max_age(cookie)) is not None:
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"the cookie '{cookie.key}' cannot be sent: .NET refuses its Max-Age. Use 0 to delete it.")
        parts.append(f"max-age={int(seconds)}")
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


def _expires(cookie: "Morsel[str]") -> datetime | None:
    """In any form that dateutil reads, from Python 3.13 on in that of HTTP alone; without a zone it is the machine's.

    Raises TypeError or what the worker's parser raises.
    """
    expires = cookie["expires"]
    if expires is None or len(expires) == 0:
        return None
    if sys.version_info >= _STRICT_DATES:
        try:
            return datetime.strptime(expires, "%a, %d %b %Y %H:%M:%S GMT")  # noqa: DTZ007 - the worker's own reading
        except ValueError:
            logging.error(f"Can not parse value {expires} of expires in the cookie due to invalid format.")  # noqa: G004, LOG015, TRY400 - the worker's own record
            raise
    from dateutil import parser  # noqa: PLC0415 - few functions set cookies that expire

    try:
        return parser.parse(expires)
    except parser.ParserError:
        logging.error(f"Can not parse value {expires} of expires in the cookie due to invalid format.")  # noqa: G004, LOG015, TRY400 - the worker's own record
        raise
    except OverflowError:
        logging.error(  # noqa: LOG015, TRY400 - as above
            f"Can not parse value {expires} of expires in the cookie because the parsed date exceeds the largest valid "  # noqa: G004 - as above
            "C integer on your system."
        )
        raise


def _max_age(cookie: "Morsel[str]") -> float | None:
    """Raises TypeError in the worker's words."""
    text = cookie["max-age"]
    if isinstance(text, str) and not text:
        return None
    try:
        return float(text)
    except (TypeError, ValueError):
        raise TypeError(f"Cannot parse value {text} of 'cookie.maxAge' to float.") from None

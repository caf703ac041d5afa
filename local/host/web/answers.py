"""From what an HTTP function gave back to the HTTP answer that the Functions host makes of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import Any, cast

from azure.functions import meta
from starlette.types import Send

from local.host.core.newtonsoft import compact, indented, read_text
from local.host.worker.cookies import set_cookie

_TEXT = "text/plain; charset=utf-8"
_LAST_STATUS = 599
_WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED}
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,9}\s*")
_NO_TOKEN = re.compile(r"[^A-Za-z0-9!#$%&'*+.^_`|~-]")
_NO_VALUE = re.compile(r"[^\t\x20-\x7e]")


@dataclass(frozen=True)
class Answer:
    """A status, headers in the order in which they are sent, and a body."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    body: bytes = b""
    warning: str = ""


def answer_of(value: meta.Datum | None) -> Answer:
    """The answer for a function's HTTP result; a text that is JSON is re-written by the host, with a warning.

    Raises ValueError for a status that cannot be sent.
    """
    if value is None or value.type is None:
        return Answer(204)
    if value.type == "http":
        return _from_response(cast("dict[str, Any]", value.value))
    if value.type == "bytes":
        return Answer(200, [("content-type", "application/octet-stream")], cast("bytes", value.value))
    if value.type in {"string", "json"}:
        return _from_text(str(value.value))
    return _from_json(value.value)


async def send_answer(answer: Answer, send: Send) -> None:
    """Send an answer; without a Content-Length of the function's own it goes out in chunks, as from Azure."""
    headers = [(name.encode("latin-1", "replace"), text.encode("latin-1", "replace")) for name, text in answer.headers]
    headers = [(name, text) for name, text in headers if name != b"content-length" or text == b"%d" % len(answer.body)]
    if not answer.body:
        headers = [one for one in headers if one[0] != b"content-length"]
        if answer.status >= HTTPStatus.OK and answer.status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            headers.append((b"content-length", b"0"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _from_response(value: Mapping[str, Any]) -> Answer:
    headers = {name.lower(): datum.value for name, datum in value["headers"].items()}
    sent = [_header(name, str(text)) for name, text in headers.items() if name != "transfer-encoding"]
    cookies = cast("list[SimpleCookie] | None", value["cookies"]) or []
    for cookie in cookies:
        sent += [("set-cookie", set_cookie(one)) for one in cookie.values()]
    body = cast("bytes", value["body"].value)
    status, unreadable = _status(value["status_code"].value)
    warnings = [unreadable] if unreadable else []
    if not all(cookies):
        warnings.append(
            "set a cookie that Python's http.cookies cannot read: the worker drops it in silence, here as in Azure. "
            "Percent-encode what is neither letter nor digit in its value."
        )
    if body and status in _WITHOUT_BODY:
        warnings.append(
            f"gave a body to an answer {status}, which has none: it is dropped, and Azure breaks off there."
        )
        body = b""
    elif body and headers.get("content-length", str(len(body))) != str(len(body)):
        warnings.append(
            "set a Content-Length that is not its body's: the right one is sent, where Azure breaks the answer off. "
            "Leave the header out."
        )
    return Answer(status, sent, body, " It ".join(warnings))


def _header(name: str, value: str) -> tuple[str, str]:
    """The header. Raises ValueError for what Kestrel, Azure's web server, does not send: the answer is a 500 there."""
    wrong = _NO_TOKEN.search(name) or (_NO_VALUE.search(value) if name else None)
    if wrong is not None or not name:
        found = f"0x{ord(wrong[0]):04X}" if wrong is not None else "nothing"
        raise ValueError(
            f"the header '{name}' has a character that no header may have ({found}), and Azure answers 500. Names are "
            "letters, digits and -, values are printable ASCII: percent-encode or Base64-encode what is not."
        )
    return name, value


def _from_text(text: str) -> Answer:
    try:
        parsed = read_text(text)
    except ValueError:
        return Answer(200, [("content-type", _TEXT)], text.encode())
    answer = _from_json(parsed)
    if answer.body == text.encode():
        return answer
    return Answer(
        answer.status,
        answer.headers,
        answer.body,
        "returned a str that is JSON: Azure re-writes such text before it sends it. "
        "Return func.HttpResponse(text, mimetype='application/json') to send it as it is.",
    )


def _from_json(value: Any) -> Answer:
    if isinstance(value, dict) and "body" in (
        members := {key.lower(): one for key, one in cast("dict[str, Any]", value).items()}
    ):
        status, _ = _status(members.get("statuscode", members.get("status", 200)))
        given = members.get("headers")
        headers: dict[str, str] = {}
        for name, one in cast("dict[str, Any]", given if isinstance(given, dict) else {}).items():
            if one is None:
                raise ValueError(f"the header '{name}' is null, and Azure answers 500. Leave it out.")
            headers |= [_header(name.lower(), str(one))]
        headers.setdefault("content-type", _TEXT)
        return Answer(status, list(headers.items()), _member(members["body"]).encode())
    return Answer(200, [("content-type", _TEXT)], _plain(value).encode())


def _status(value: Any) -> tuple[int, str]:
    """The status, and a warning for one that is no whole number: 200 is sent for it."""
    readable = type(value) is int or (isinstance(value, str) and _INTEGER.fullmatch(value) is not None)
    status = int(value) if readable else 200
    if not HTTPStatus.OK <= status <= _LAST_STATUS:
        raise ValueError(f"the status {value!r} is none that a server can send: give a number from 200 to 599.")
    return status, "" if readable else f"gave the status {value!r}: what is no whole number is 200, as in Azure."


def _member(body: Any) -> str:
    """The `body` of a response object, which the host has as .NET's own objects."""
    if isinstance(body, dict):
        return compact(cast("dict[str, Any]", body))
    # Its text is the name of its type, in Azure, too.
    return "System.Collections.Generic.List`1[System.Object]" if isinstance(body, list) else _plain(body)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004 - .NET switches to 1E+15
        return str(int(value))
    return indented(value)

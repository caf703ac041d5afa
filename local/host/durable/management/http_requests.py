"""Requests of the management API as it reads them, and its answers: JSON, empty, or a fault with .NET's words."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from local.host.durable.management.operations import DEFAULT_PAGE
from local.host.durable.model import dotnet

CONTINUATION = "x-ms-continuation-token"
JSON_TYPE = "application/json; charset=utf-8"
BAD_ARGUMENT = "One or more of the arguments submitted is incorrect"
WENT_WRONG = "Something went wrong while processing your request"
Handler = Callable[[Request, list[str]], Awaitable[Response]]
"""Answers a request with the parts of its path."""
# Everything that may stand in a path or a query unescaped, and what is escaped already.
_AS_SENT = "%/?:@!$&'()*+,;=~"


class Refused(Exception):
    """Ends a request with this answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def json_answer(value: Any, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(dotnet.to_json(value), code, headers, media_type=JSON_TYPE)


def empty(code: int) -> Response:
    return Response(None, code)


def fault(code: int, message: str, text: str, exception_type: str) -> Response:
    body = {"Message": message, "ExceptionMessage": text, "ExceptionType": exception_type, "StackTrace": ""}
    return json_answer(body, code)


def flag(request: Request, name: str, *, default: bool = False) -> bool:
    text = parameter(request, name)
    return default if text is None or text.lower() not in ("true", "false") else text.lower() == "true"


def own_address(request: Request) -> str:
    """The request's address as it was sent: percent-encoded, whatever its path holds."""
    path = quote(request.scope["raw_path"], safe=_AS_SENT)
    query = quote(request.scope["query_string"], safe=_AS_SENT)
    return f"{request.url.scheme}://{request.url.netloc}{path}{f'?{query}' if query else ''}"


def parameters(request: Request, name: str) -> list[str]:
    """The values of a query parameter, its name without case."""
    return [value for key, value in request.query_params.multi_items() if key.lower() == name.lower()]


def parameter(request: Request, name: str) -> str | None:
    """A query parameter; the values of one that is given several times are joined, as in .NET."""
    values = parameters(request, name)
    return ",".join(values) if values else None


def seconds(request: Request, name: str) -> float | None:
    try:
        return float(parameter(request, name) or "")
    except ValueError:
        return None


def time(request: Request, name: str) -> datetime | None:
    text = parameter(request, name)
    try:
        return dotnet.parse_time(text) if text else None
    except ValueError:
        return None


def top(request: Request) -> int:
    try:
        top = int(parameter(request, "top") or DEFAULT_PAGE)
    except ValueError:
        return DEFAULT_PAGE
    if top < 0:
        kind = "System.ArgumentOutOfRangeException"
        raise Refused(fault(400, BAD_ARGUMENT, "Non-negative number required. (Parameter 'capacity')", kind))
    if top == 0:
        text = "Take count must be positive and greater than 0."
        raise Refused(fault(400, BAD_ARGUMENT, text, "System.ArgumentException"))
    return top


def is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def read_start(body: str) -> Any:
    """The input of a start. JSON that breaks off is a 500, any other mistake a 400."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        place, ended = _place(body, error)
        if ended and body.lstrip()[:1] in ("{", "["):
            text = f"Unexpected end when deserializing object. {place}"
            kind = "Newtonsoft.Json.JsonSerializationException"
            raise Refused(fault(500, WENT_WRONG, text, kind)) from error
        raise _invalid(body, error) from error


def read_event(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _invalid(body, error) from error


def read_operation(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        place, _ = _place(body, error)
        message = f"Could not parse JSON content: Unexpected end while parsing unquoted property name. {place}"
        raise Refused(json_answer({"Message": message}, 400)) from error


def _place(body: str, error: ValueError | RecursionError) -> tuple[str, bool]:
    """Newtonsoft's words for where the text is wrong, and whether it simply ended there."""
    position = error.pos if isinstance(error, json.JSONDecodeError) else 0
    before = body[:position]
    line = before.count("\n") + 1 if position else 0
    column = position - (before.rfind("\n") + 1)
    return f"Path '', line {line}, position {column}.", not body[position:].strip()


def _invalid(body: str, error: ValueError | RecursionError) -> Refused:
    place, ended = _place(body, error)
    if ended:
        text = f"Error reading JToken from JsonReader. {place}"
    else:
        position = error.pos if isinstance(error, json.JSONDecodeError) else 0
        text = f"Unexpected character encountered while parsing value: {body[position]}. {place}"
    return Refused(fault(400, "Invalid JSON content", text, "Newtonsoft.Json.JsonReaderException"))

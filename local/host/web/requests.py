"""What of a request the host reads: its path, key and body, and what of it a function is given."""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from azure.functions import meta
from starlette.datastructures import Headers
from starlette.types import Receive, Scope

from local.host.core.logs import warn_once
from local.host.web.bodies import whole_body
from local.host.worker.context import TraceContext
from local.host.worker.messages import json_parameters

_PATH_SAFE = "/~!$&'()*+,;=:@%"


def offered_key(headers: Headers, scope: Scope) -> str:
    """The key of a request: the header, even a wrong one, before `?code=`."""
    key = headers.get("x-functions-key")
    if key is not None:
        return key
    pairs = parse_qsl(scope["query_string"].decode("latin-1"))
    return next((value for name, value in pairs if name.lower() == "code"), "")


async def read_body(headers: Headers, receive: Receive, function: str) -> bytes:
    """The request's body; empty for a chunked one without Content-Length. Raises BodyRefused."""
    body = await whole_body(receive)
    if body and "content-length" not in headers and "transfer-encoding" in headers:
        warn_once(
            "Function '%s' was sent a chunked body without Content-Length: Azure hands the function an empty body, "
            "and so does this host (%d bytes dropped). Send a Content-Length.",
            function,
            len(body),
        )
        return b""
    return body


def decoded_path(scope: Scope) -> str:
    """The path with its escapes resolved, except `%2F`, which stays part of its segment."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    text = raw.partition(b"?")[0].decode("latin-1")
    return unquote(text.replace("%2F", "%252F").replace("%2f", "%252f"))


def query_parameters(text: str, function: str) -> dict[str, str]:
    """The query as a function sees it: repeats joined by a comma, keys merged without case, empty values left out."""
    result: dict[str, str] = {}
    names: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
        if not value:
            warn_once(
                "Function '%s': the query parameter '%s' has no value and is absent for the function, as in Azure.",
                function,
                name,
            )
            continue
        key = names.setdefault(name.lower(), name)
        result[key] = f"{result[key]},{value}" if key in result else value
    return result


def request_datum(
    scope: Scope, path: str, headers: Headers, *, query: Mapping[str, str], parameters: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    joined: dict[str, str] = {}
    for name, value in headers.items():
        joined[name] = f"{joined[name]},{value}" if joined.get(name) else value
    if client := scope.get("client"):
        # Azure's front end adds where a request came from to what the caller may have sent in this header.
        came_from = f"[{client[0]}]:{client[1]}" if ":" in client[0] else f"{client[0]}:{client[1]}"
        sent = joined.get("x-forwarded-for")
        joined["x-forwarded-for"] = f"{sent}, {came_from}" if sent else came_from
    host = joined.get("host") or "localhost"
    url = f"{scope['scheme']}://{host}{quote(path, safe=_PATH_SAFE)}"
    raw_query = scope["query_string"].decode("latin-1")
    return {
        "method": meta.Datum(scope["method"], "string"),
        "url": meta.Datum(f"{url}?{raw_query}" if raw_query else url, "string"),
        "headers": _data(joined),
        "query": _data(query),
        "params": _data(parameters),
        "body": meta.Datum(body, "bytes"),
    }


def _data(values: Mapping[str, str]) -> dict[str, meta.Datum]:
    return {name: meta.Datum(value, "string") for name, value in values.items()}


def expression_data(
    headers: Headers, query: Mapping[str, str], parameters: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    data: dict[str, Any] = {"query": dict(query), "headers": dict(headers)}
    if body[:1] == b"{":
        data |= json_parameters(body.decode(errors="replace"))
    return data | dict(query) | dict(parameters)


def trace_of(headers: Headers) -> TraceContext:
    """The W3C trace context of a request; a new one where it brought none."""
    trace = headers.get("traceparent") or f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-00"
    return TraceContext(trace, headers.get("tracestate") or "")

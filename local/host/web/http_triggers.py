"""HTTP triggers: which function a request goes to, whether it may, what the function is given and what is answered."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, quote, unquote

from azure.functions import meta
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from local.host.core.functions import Function, FunctionError, FunctionTable
from local.host.core.logs import host_log, warn_once
from local.host.durable.model.ports import HostStopping
from local.host.settings.expressions import json_parameters
from local.host.web.answers import Answer, answer_of
from local.host.web.constraints import RouteInvalid
from local.host.web.keys import KeyStore
from local.host.web.routes import Route
from local.host.worker.dispatch import HOST_API_REASON, Call, Dispatcher
from local.host.worker.worker import RunFailed, TraceContext

if TYPE_CHECKING:
    from local.host.web.streamed import StreamedHttp

_ALL = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT"})
_RESERVED = ("admin", "runtime")
_PATH_SAFE = "/~!$&'()*+,;=:@%"


@dataclass(frozen=True)
class HttpFunction:
    """One HTTP function with its compiled route."""

    function: Function
    route: Route
    methods: frozenset[str]
    level: str
    has_expressions: bool
    """Whether an input or output of the function names the request's parameters."""
    shown_methods: list[str]
    """The methods as the app listed them; empty when it takes all."""


class HttpTriggers:
    """Every HTTP function of the app, in the order in which the Functions host tries them: by name."""

    def __init__(self, dispatcher: Dispatcher, keys: KeyStore, *, prefix: str, enable_auth: bool) -> None:
        self.prefix = prefix.strip("/")
        self.functions: list[HttpFunction] = []
        self._dispatcher = dispatcher
        self._keys = keys
        self._enable_auth = enable_auth
        self._streamed: StreamedHttp | None = None

    def load(self, table: FunctionTable) -> list[FunctionError]:
        """Take the HTTP functions of a table; the ones with a route that cannot be are refused."""
        accepted: list[HttpFunction] = []
        refused: list[FunctionError] = []
        for function in sorted(table.functions.values(), key=lambda one: one.name.lower()):
            if function.trigger.type != "httpTrigger":
                continue
            try:
                accepted.append(self._compile(function, accepted))
            except RouteInvalid as error:
                refused.append(FunctionError(function.name, str(error)))
        self.functions = accepted
        return refused

    def find(self, method: str, path: str) -> tuple[HttpFunction, dict[str, str]] | None:
        """The function for a method and a decoded path, with its route parameters; the first one by name wins."""
        for one in self.functions:
            if method in one.methods:
                parameters = one.route.match(path)
                if parameters is not None:
                    return one, parameters
        return None

    def url(self, one: HttpFunction, origin: str) -> str:
        """The address that is shown for a function."""
        return f"{origin}/{one.route.template}"

    async def serve(self, path: str, scope: Scope, receive: Receive, send: Send) -> bool:
        """Answer the request for a decoded path if a function takes it; False when none does."""
        found = self.find(scope["method"], path)
        if found is None:
            return False
        one, parameters = found
        headers = Headers(scope=scope)
        if not self._admitted(one, headers, scope):
            answer = Answer(401)
        elif one.function.disabled and not self._may_run_disabled(one, headers, scope):
            answer = Answer(404)
        elif one.function.is_streamed:
            from local.host.web.streamed import StreamedHttp  # noqa: PLC0415 - few apps stream

            self._streamed = self._streamed or StreamedHttp(self._dispatcher)
            await self._streamed.serve(one.function, parameters, scope, receive, send)
            return True
        else:
            answer = await self._invoke(one, path, parameters, headers=headers, scope=scope, receive=receive)
        await send_answer(answer, send)
        return True

    def _compile(self, function: Function, before: Iterable[HttpFunction]) -> HttpFunction:
        declared = function.trigger.text("route", function.name)
        if declared.lower().startswith(_RESERVED):
            raise RouteInvalid("The specified route conflicts with one or more built in routes.")
        template = "/".join(part for part in (self.prefix, declared or function.name) if part)
        if self.prefix and declared.startswith("/"):
            raise RouteInvalid(
                f"The route template '{self.prefix}/{declared}' has an empty segment. "
                "AsgiFunctionApp and WsgiFunctionApp need 'extensions.http.routePrefix' to be \"\" in host.json."
            )
        listed = cast("list[str] | str", function.trigger.fields.get("methods") or [])
        shown = [one.upper() for one in ([listed] if isinstance(listed, str) else listed)]
        methods = frozenset(shown) or _ALL
        for other in before:
            if other.route.template.lower() == template.strip("/").lower() and other.methods & methods:
                raise RouteInvalid(
                    f"The route specified conflicts with the route defined by function '{other.function.name}'."
                )
        level = function.trigger.text("authLevel", "function").lower()
        texts = [
            str(value) for one in function.bindings if one is not function.trigger for value in one.fields.values()
        ]
        expressions = any("{" in text for text in texts)
        return HttpFunction(function, Route(template.strip("/")), methods, level, expressions, shown)

    def _admitted(self, one: HttpFunction, headers: Headers, scope: Scope) -> bool:
        if not self._enable_auth or one.level == "anonymous":
            return True
        key = offered_key(headers, scope)
        if one.level == "admin":
            return self._keys.opens_admin(key)
        return self._keys.opens_function(key, one.function.name)

    def _may_run_disabled(self, one: HttpFunction, headers: Headers, scope: Scope) -> bool:
        """Admins may run what is switched off, and without keys everyone is one; who needs no key is never asked."""
        if one.level == "anonymous":
            return False
        return not self._enable_auth or self._keys.opens_admin(offered_key(headers, scope))

    async def _invoke(
        self,
        one: HttpFunction,
        path: str,
        parameters: dict[str, str],
        *,
        headers: Headers,
        scope: Scope,
        receive: Receive,
    ) -> Answer:
        name = one.function.name
        body = await read_body(headers, receive, name)
        if body is None:
            return Answer(413)
        query = query_parameters(scope["query_string"].decode("latin-1"), name)
        call = Call(
            reason=HOST_API_REASON,
            value=meta.Datum(_request(scope, path, headers, query=query, parameters=parameters, body=body), "http"),
            data=_expression_data(headers, query, parameters, body) if one.has_expressions else {},
            trace=TraceContext(headers.get("traceparent") or _new_trace(), headers.get("tracestate") or ""),
        )
        try:
            result = await self._dispatcher.run(one.function, call)
        except HostStopping:
            return Answer(503, [("content-type", "text/plain")], b"Function host is not running.")
        except RunFailed:
            return Answer(500)
        try:
            answer = answer_of(_http_result(one.function, result.returned, result.outputs))
        except ValueError as error:
            host_log.error("Function '%s' cannot be answered for: %s", name, error)
            return Answer(500)
        if answer.warning:
            warn_once("Function '%s' %s", name, answer.warning)
        return answer


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


def offered_key(headers: Headers, scope: Scope) -> str:
    """The key of a request: the header, even a wrong one, before `?code=`."""
    key = headers.get("x-functions-key")
    if key is not None:
        return key
    pairs = parse_qsl(scope["query_string"].decode("latin-1"))
    return next((value for name, value in pairs if name.lower() == "code"), "")


async def read_body(headers: Headers, receive: Receive, function: str) -> bytes | None:
    """The request's body; empty for a chunked one without Content-Length, None when it is over the limit."""
    limit = int(os.environ.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT") or 104857600)
    chunked = "content-length" not in headers and "transfer-encoding" in headers
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            return None
        chunks.append(chunk)
        more = message.get("more_body", False)
    if chunked and size:
        warn_once(
            "Function '%s' was sent a chunked body without Content-Length: Azure hands the function an empty body, "
            "and so does this host (%d bytes dropped). Send a Content-Length.",
            function,
            size,
        )
        return b""
    return b"".join(chunks)


def decoded_path(scope: Scope) -> str:
    """The path with its escapes resolved, except `%2F`, which stays part of its segment."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    text = raw.partition(b"?")[0].decode("latin-1")
    return unquote(text.replace("%2F", "%252F").replace("%2f", "%252f"))


def query_parameters(text: str, function: str) -> dict[str, str]:
    """The query as a function sees it: repeats joined by a comma, keys merged without case, empty values gone."""
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


def _request(
    scope: Scope, path: str, headers: Headers, *, query: Mapping[str, str], parameters: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    joined: dict[str, str] = {}
    for name, value in headers.items():
        joined[name] = f"{joined[name]},{value}" if joined.get(name) else value
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


def _expression_data(
    headers: Headers, query: Mapping[str, str], parameters: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    data: dict[str, Any] = {"query": dict(query), "headers": dict(headers)}
    if body[:1] == b"{":
        data |= json_parameters(body.decode(errors="replace"))
    return data | dict(query) | dict(parameters)


def _http_result(
    function: Function, returned: meta.Datum | None, outputs: Mapping[str, meta.Datum]
) -> meta.Datum | None:
    """The HTTP output; where none was set, the host answers with what the function returned for another output."""
    names = [one.name for one in function.bindings if one.type == "http" and one.direction == "out"]
    return next((outputs[name] for name in names if name in outputs), returned)


def _new_trace() -> str:
    return f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-00"

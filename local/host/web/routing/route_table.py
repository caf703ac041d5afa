"""The routes of an app's HTTP functions, and which of them a request is for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from local.host.core.functions import Function, FunctionError, FunctionTable
from local.host.web.routing.constraints import RouteInvalid
from local.host.web.routing.routes import Route

_ALL = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT"})
_RESERVED = ("admin", "runtime")


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

    def url(self, origin: str) -> str:
        """The address that is shown for the function."""
        return f"{origin}/{self.route.template}"


@dataclass(frozen=True)
class Match:
    """The function that a request is for, its decoded path and its route parameters."""

    http: HttpFunction
    path: str
    parameters: dict[str, str]


class RouteTable:
    """Every HTTP function of the app, in the order in which the Functions host tries them: by name."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix.strip("/")
        self.functions: list[HttpFunction] = []

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

    def find(self, method: str, path: str) -> Match | None:
        """The function for a method and a decoded path; the first one by name wins."""
        for one in self.functions:
            if method in one.methods:
                parameters = one.route.match(path)
                if parameters is not None:
                    return Match(one, path, parameters)
        return None

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

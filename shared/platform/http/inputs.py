"""Reads a request into the arguments that a handler's signature asks for, typed and bounded."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING, Annotated, Any, Final, NotRequired, cast, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import from_json
from typing_extensions import TypedDict  # Python 3.11's own lacks what pydantic reads

from shared.platform.access.auth import header
from shared.platform.cursors import of_list
from shared.platform.http.problems import FieldProblem, UnsupportedMediaType, UnusableRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import azure.functions as func
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

    from shared.platform.access.auth import Caller

MODELS: Final = ("query", "headers", "body")
MOST_QUERY_FIELDS: Final = 200
_SOME_BYTES = Annotated[bytes, Field(min_length=1)]


class Inputs:
    """What one handler wants, by the names of its parameters.

    A parameter named like a part of the path has its type; `query`, `headers` and `body` are pydantic models (`body`
    may be bytes, then it is handed over unread); `client` is the durable client, `caller` who calls, `request` all.
    """

    def __init__(self, handler: Callable[..., Any], path_names: list[str]) -> None:
        self._handler = handler
        self.names = handler.__annotations__.keys() - {"return"}
        self.path_names = path_names
        self.name = handler.__name__
        allowed = {*path_names, *MODELS, "client", "caller", "request"}
        if unknown := self.names - allowed:
            raise TypeError(f"{self.name}: nothing fills {sorted(unknown)}. What can be filled: {sorted(allowed)}.")
        if missing := set(path_names) - self.names:
            raise TypeError(
                f"{self.name}: the path has {sorted(missing)}, the handler takes no parameter of that name."
            )

    @cached_property
    def types(self) -> dict[str, Any]:
        """The types of the parameters by name, and of what is given back as `return`.

        Read when they are first needed: a cold start has hundreds of handlers and serves one of them.
        """
        return get_type_hints(self._handler, include_extras=True)

    @property
    def returns(self) -> Any:
        """The type of what the handler gives back."""
        return self.types.get("return")

    @cached_property
    def body_required(self) -> bool:
        """Whether the handler has a body and no default for it."""
        body = inspect.signature(self._handler).parameters.get("body")
        return body is not None and body.default is inspect.Parameter.empty

    @cached_property
    def adapter(self) -> TypeAdapter[dict[str, Any]]:
        """Validates all that is read at once. Built at the first request: a cold start pays for none."""
        from pydantic import TypeAdapter  # noqa: PLC0415 - loads with the first request

        types = {name: type_ for name, type_ in self.types.items() if name in (*self.path_names, *MODELS)}
        if types.get("body") is bytes:
            types["body"] = _SOME_BYTES
        if "body" in types and not self.body_required:
            types["body"] = NotRequired[types["body"]]
        typed_dict: Any = TypedDict
        return TypeAdapter(typed_dict(self.name, types))

    def read(self, request: func.HttpRequest, caller: Caller, client: object) -> dict[str, Any]:
        """The handler's arguments.

        Raises:
            UnusableRequest: values did not pass their types; every one of them is named.
            UnusableCursor: a cursor that this list did not give.
            UnsupportedMediaType: a body that is not JSON where JSON is read.
        """
        try:
            arguments = self.adapter.validate_python(self._raw(request), context=of_list(self.name))
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            raise UnusableRequest([FieldProblem.at(e["loc"], _message(e), e["type"]) for e in found]) from None
        if problems := list(_unusable((), arguments)):
            raise UnusableRequest(problems)
        own = {"caller": caller, "request": request}
        if "client" in self.names:
            own["client"] = self.types["client"](client)
        return arguments | {name: value for name, value in own.items() if name in self.names}

    def part_of(self, field: str) -> str | None:
        """Which part of the request holds the field: query, headers, body or path; None if none is known to."""
        if field in self.path_names:
            return "path"
        for part in MODELS:
            if part in self.names and (field == part == "body" or field in _names(self.types[part])):
                return part
        # What is read from bytes has no model here.
        return "body" if "body" in self.names and self.types["body"] is bytes else None

    def _raw(self, request: func.HttpRequest) -> dict[str, Any]:
        raw: dict[str, Any] = {name: request.route_params.get(name, "") for name in self.path_names}
        if "query" in self.names:
            raw["query"] = _query(request.url, self.types["query"])
        if "headers" in self.names:
            names = {name.replace("_", "-").lower(): name for name in _fields(self.types["headers"])}
            sent = cast("Mapping[str, str]", request.headers)
            raw["headers"] = {names[key]: value for key, value in sent.items() if key in names and value}
        body = request.get_body()
        if "body" in self.names and (body or self.body_required):
            raw["body"] = body if self.types["body"] is bytes else _json(body, header(request, "Content-Type"))
        return raw


def _json(body: bytes, content_type: str) -> Any:
    media_type = content_type.partition(";")[0].strip().lower()
    if body and media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedMediaType("The body must be JSON.", remedy="Send the header Content-Type: application/json.")
    try:
        return from_json(body)
    except ValueError as error:
        raise UnusableRequest([FieldProblem.at(("body",), f"This is no JSON: {error}.", "json_invalid")]) from None


def _query(url: str, model: type[BaseModel]) -> dict[str, Any]:
    """The query's values by field. An empty value counts as absent, as Azure treats it; several values become a list.

    Read from the URL, since Azure's own parameters join repeated keys with a comma that values may hold as well.
    """
    known, lists = _fields(model), _list_fields(model)
    values: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(urlsplit(url).query, max_num_fields=MOST_QUERY_FIELDS)
    except ValueError:
        detail = f"More than {MOST_QUERY_FIELDS} values were sent."
        raise UnusableRequest([FieldProblem.at(("query",), detail, "too_many")]) from None
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    repeated = [name for name, found in values.items() if len(found) > 1 and name in known and name not in lists]
    if repeated:
        raise UnusableRequest([FieldProblem.at(("query", name), "Send it once.", "repeated") for name in repeated])
    return {name: found if name in lists else found[0] for name, found in values.items()}


def _message(error: ErrorDetails) -> str:
    """What is wrong with a value, without the words that only a reader of pydantic knows."""
    if error["type"] == "extra_forbidden":
        return "There is no such field. Leave it out; /docs shows those that there are."
    message = error["msg"].removeprefix("Value error, ")
    if error.get("ctx", {}).get("field_type") == "Value":  # a SecretStr, whose characters pydantic calls items
        return re.sub("items? after validation", "characters", message)
    return message


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _names(annotation: Any) -> set[str]:
    """The fields of a model, or of each one of a union, as callers write them and as our code does."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {*_fields(annotation), *annotation.model_fields}
    return {name for argument in get_args(annotation) for name in _names(argument)}


@cache
def _list_fields(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, annotation in _fields(model).items() if _is_list(annotation))


def _is_list(annotation: Any) -> bool:
    origin = get_origin(annotation) or annotation
    return origin in (list, tuple, set, frozenset) or any(
        _is_list(argument) for argument in get_args(annotation) if not isinstance(argument, str)
    )


def _unusable(path: tuple[int | str, ...], value: Any) -> Iterator[FieldProblem]:
    """Values that pass their types and that no store can hold: NUL in text, NaN and infinities."""
    if isinstance(value, BaseModel):
        value = value.model_dump(by_alias=True)
    if isinstance(value, str) and "\0" in value:
        yield FieldProblem.at(path, "Text must not hold NUL.", "nul")
    elif isinstance(value, float) and not math.isfinite(value):
        yield FieldProblem.at(path, "The number must be finite.", "finite_number")
    elif isinstance(value, Mapping):
        for key, item in cast("Mapping[str, Any]", value).items():
            yield from (*_unusable(path, key), *_unusable((*path, key), item))
    elif isinstance(value, list | tuple | set | frozenset):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _unusable((*path, index), item)

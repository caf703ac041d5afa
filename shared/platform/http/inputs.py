"""Reads a request into the arguments that a handler's signature asks for, typed and bounded."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Final, cast, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from shared.platform.auth import header
from shared.platform.http.problems import (
    FieldProblem,
    Place,
    UnsupportedMediaType,
    UnusableRequest,
    field_problems,
    pointer,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import azure.functions as func

    from shared.platform.auth import Caller

MODELS: Final = ("body", "query", "headers")
MOST_QUERY_FIELDS: Final = 200
_SOME = Annotated[bytes, Field(min_length=1)]


class Inputs:
    """What one handler wants, by the names of its parameters.

    A parameter named like a part of the path has its type; `body`, `query` and `headers` are pydantic models (`body`
    may be bytes, then it is handed over unread); `client` is the durable client, `caller` who calls, `request` all.
    """

    def __init__(self, handler: Callable[..., Any], path_names: list[str]) -> None:
        self.types = get_type_hints(handler, include_extras=True)
        self.returns: Any = self.types.pop("return", None)
        known = {*path_names, *MODELS, "client", "caller", "request"}
        name = getattr(handler, "__name__", repr(handler))
        if unknown := self.types.keys() - known:
            raise TypeError(f"{name}: {sorted(unknown)} are neither in the path nor one of {sorted(known)}.")
        if missing := [p for p in path_names if p not in self.types]:
            raise TypeError(f"{name}: the path has {missing}, the handler takes no parameter of that name.")
        for parameter in ("query", "headers"):
            if parameter in self.types and not _is_model(self.types[parameter]):
                raise TypeError(f"{name}: {parameter} must be a pydantic model.")
        self.path_names = path_names
        body = inspect.signature(handler).parameters.get("body")
        self.body_required = body is not None and body.default is inspect.Parameter.empty

    @cached_property
    def adapters(self) -> dict[str, TypeAdapter[Any]]:
        """The validators, built at the first request: a cold start pays for none."""
        return {
            name: TypeAdapter(_SOME if type_ is bytes else type_)
            for name, type_ in self.types.items()
            if name in (*self.path_names, *MODELS)
        }

    def read(self, request: func.HttpRequest, caller: Caller, client: object) -> dict[str, Any]:
        """The handler's arguments.

        Raises:
            UnusableRequest: values did not pass their types; every one of them is named.
            UnsupportedMediaType: a body that is not JSON where JSON is read.
        """
        arguments: dict[str, Any] = {}
        problems: list[FieldProblem] = []
        for name, place, raw in self._raw(request):
            try:
                value = self._validate(name, raw)
            except ValidationError as error:
                under = (name,) if place == "path" else ()
                problems += field_problems(place, error.errors(include_input=False, include_url=False), under=under)
            else:
                problems += _unusable(place, (name,) if place == "path" else (), value)
                arguments[name] = value
        if problems:
            raise UnusableRequest(problems)
        if "caller" in self.types:
            arguments["caller"] = caller
        if "request" in self.types:
            arguments["request"] = request
        if "client" in self.types:
            arguments["client"] = self.types["client"](client)
        return arguments

    def _raw(self, request: func.HttpRequest) -> Iterator[tuple[str, Place, Any]]:
        for name in self.path_names:
            yield name, "path", request.route_params.get(name, "")
        if "query" in self.types:
            yield "query", "query", _query(request.url, self.types["query"])
        if "headers" in self.types:
            names = {name.replace("_", "-").lower(): name for name in _names(self.types["headers"])}
            sent = cast("Mapping[str, str]", request.headers)
            yield "headers", "header", {names[key]: value for key, value in sent.items() if key in names and value}
        body = request.get_body()
        if "body" in self.types and (body or self.body_required):
            if body and self.types["body"] is not bytes and not _is_json(header(request, "Content-Type")):
                raise UnsupportedMediaType(
                    "The body must be JSON.", remedy="Send it with the header Content-Type: application/json."
                )
            yield "body", "body", body

    def _validate(self, name: str, raw: Any) -> Any:
        adapter = self.adapters[name]
        if name == "body" and self.types["body"] is not bytes:
            return adapter.validate_json(raw)
        return adapter.validate_python(raw)


def _query(url: str, model: type[BaseModel]) -> dict[str, Any]:
    """The query's values by field. An empty value counts as absent, as Azure treats it; several values become a list.

    Read from the URL, since Azure's own parameters join repeated keys with a comma that values may hold as well.
    """
    lists = {name for name, annotation in _names(model).items() if _is_list(annotation)}
    values: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(urlsplit(url).query, max_num_fields=MOST_QUERY_FIELDS)
    except ValueError:
        detail = f"More than {MOST_QUERY_FIELDS} values were sent."
        raise UnusableRequest([FieldProblem(place="query", pointer="#", detail=detail, code="too-many")]) from None
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: found if name in lists or len(found) > 1 else found[0] for name, found in values.items()}


def _names(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _is_list(annotation: Any) -> bool:
    origin = get_origin(annotation) or annotation
    return origin in (list, tuple, set, frozenset) or any(
        _is_list(argument) for argument in get_args(annotation) if not isinstance(argument, str)
    )


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


def _unusable(place: Place, path: tuple[int | str, ...], value: Any) -> Iterator[FieldProblem]:
    """Values that pass their types and that nothing behind the door can store: NUL in text, NaN and infinities."""
    if isinstance(value, BaseModel):
        value = value.model_dump(by_alias=True)
    if isinstance(value, str) and "\0" in value:
        yield FieldProblem(place=place, pointer=pointer(path), detail="Text must not hold NUL.", code="nul")
    elif isinstance(value, float) and not math.isfinite(value):
        yield FieldProblem(place=place, pointer=pointer(path), detail="The number must be finite.", code="finite")
    elif isinstance(value, Mapping):
        for key, item in cast("Mapping[str, Any]", value).items():
            yield from _unusable(place, path, key)
            yield from _unusable(place, (*path, key), item)
    elif isinstance(value, list | tuple | set | frozenset):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _unusable(place, (*path, index), item)

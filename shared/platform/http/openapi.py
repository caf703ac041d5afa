"""The OpenAPI 3.1 document of the doors, made from the same models that read and write them."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, get_args, get_origin

import azure.functions as func
from pydantic import BaseModel, TypeAdapter

from shared.platform.http.answers import Accepted, Reply
from shared.platform.http.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.platform.http.routes import Operation

Schema = dict[str, Any]
_REF = "#/components/schemas/"
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}}}
_LOCATION = {"Location": {"description": "Where the state of the work is", "schema": {"type": "string"}}}


def document(operations: Iterable[Operation], *, title: str, version: str, description: str) -> Schema:
    """The document of all operations that are not hidden."""
    shown = [operation for operation in operations if not operation.hidden]
    wanted: dict[tuple[str, str], tuple[str, Any]] = {("problem", ""): ("serialization", Problem)}
    for operation in shown:
        for name, type_ in operation.inputs.types.items():
            if name in (*operation.inputs.path_names, "body", "query", "headers") and type_ is not bytes:
                wanted[operation.name, name] = ("validation", type_)
        for status, model in _answers(operation).items():
            if _has_schema(model):
                wanted[operation.name, str(status)] = ("serialization", model)
    schemas, shared = TypeAdapter[Any].json_schemas(
        [(key, mode, TypeAdapter(type_)) for key, (mode, type_) in wanted.items()],  # pyright: ignore[reportArgumentType] - the mode's literal type is lost in the dict
        ref_template=_REF + "{model}",
    )
    by_use: dict[tuple[str, str], Schema] = {key: schema for (key, _), schema in schemas.items()}
    components: dict[str, Schema] = shared.get("$defs", {})
    paths: dict[str, dict[str, Schema]] = {}
    security: dict[str, Any] = {}
    for operation in shown:
        path = re.sub(r"\{\*(\w+)\}", r"{\1}", operation.route)
        uses = {use: schema for (name, use), schema in by_use.items() if name == operation.name}
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, uses, components, by_use)
        security |= operation.needs.schemes
    used = json.dumps(paths) + json.dumps(components)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "servers": [{"url": "/"}],
        "paths": paths,
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in shown)],
        "components": {
            "schemas": {name: schema for name, schema in components.items() if f'"{_REF}{name}"' in used},
            "securitySchemes": security,
        },
    }


def _operation(operation: Operation, uses: dict[str, Schema], components: dict[str, Schema], by_use: Any) -> Schema:
    inputs = operation.inputs
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _text(uses[name])} for name in inputs.path_names
    ]
    for use, place in (("query", "query"), ("headers", "header")):
        if use in uses:
            model = components[uses[use]["$ref"].removeprefix(_REF)] if "$ref" in uses[use] else uses[use]
            parameters += _parameters(model, place)
    described: Schema = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": parameters,
        "responses": _responses(operation, uses, by_use["problem", ""]),
        "security": [{name: []} for name in operation.needs.schemes],
    }
    if operation.handler.__doc__:
        described["description"] = re.sub(r"\n\s+", "\n", operation.handler.__doc__).strip()
    if "body" in inputs.types:
        content: Schema = {"application/json": {"schema": uses["body"]}} if "body" in uses else {operation.consumes: {}}
        described["requestBody"] = {"required": inputs.body_required, "content": content}
    return described


def _parameters(model: Schema, place: str) -> list[Schema]:
    required = model.get("required", [])
    parameters: list[Schema] = []
    for name, property_ in model.get("properties", {}).items():
        schema = {key: value for key, value in property_.items() if key not in ("title", "description")}
        # Absence is how a query says null, so null is no value of a parameter.
        options = [option for option in schema.pop("anyOf", []) if option != {"type": "null"}]
        if len(options) == 1:
            schema |= options[0]
        elif options:
            schema["anyOf"] = options
        if schema.get("default", ...) is None:
            del schema["default"]
        shown = name.replace("_", "-") if place == "header" else name
        parameter: Schema = {
            "name": shown,
            "in": place,
            "required": name in required,
            "schema": _text(schema) if name in required else schema,
        }
        if place == "query" and name not in required:
            parameter["allowEmptyValue"] = True  # it counts as absent, as in Azure
        if "description" in property_:
            parameter["description"] = property_["description"]
        parameters.append(parameter)
    return parameters


def _text(schema: Schema) -> Schema:
    """An empty text counts as absent in a path, query or header, so where one is needed it is too short."""
    return {"minLength": 1} | schema if schema.get("type") == "string" and "enum" not in schema else schema


def _answers(operation: Operation) -> dict[int, Any]:
    returns = operation.inputs.returns
    if get_origin(returns) is Reply:
        returns = get_args(returns)[0]
    return {operation.status: returns, **operation.also}


def _has_schema(model: Any) -> bool:
    return model is not type(None) and model is not func.HttpResponse


def _responses(operation: Operation, uses: dict[str, Schema], problem: Schema) -> Schema:
    responses: Schema = {}
    for status, model in _answers(operation).items():
        answer: Schema = {"description": HTTPStatus(status).phrase}
        if str(status) in uses:
            answer["content"] = {"application/json": {"schema": uses[str(status)]}}
        elif model is func.HttpResponse:
            answer["content"] = {operation.produces: {}}
        if isinstance(model, type) and issubclass(model, BaseModel) and issubclass(model, Accepted):
            answer["headers"] = _LOCATION | _RETRY_AFTER
        responses[str(status)] = answer
    refusals = {400} if operation.inputs.types.keys() - {"client", "caller", "request"} else set[int]()
    refusals |= {401, 403} if operation.needs.schemes else set()
    refusals |= {413, 415} if "body" in operation.inputs.types else set()
    content = {"application/problem+json": {"schema": problem}}
    for status in sorted(refusals):
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": content}
    responses["default"] = {"description": "Any other refusal or failure", "content": content}
    return responses

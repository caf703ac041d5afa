"""The OpenAPI 3.1 document of the routes, made from the same models that read and write them."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, get_origin

import azure.functions as func

from shared.platform.http.answers import Accepted, answers_with
from shared.platform.http.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import TypeAdapter
    from pydantic.json_schema import JsonSchemaMode

    from shared.platform.http.routes import Operation

Schema = dict[str, Any]
_REF = "#/components/schemas/"
_TEXT = {"schema": {"type": "string"}}
_LISTED = {"Link": {"description": "rel=next: where the next page is, while there is one", **_TEXT}}
_ACCEPTED = {"Location": {"description": "Where the state of the work is", **_TEXT}, "Retry-After": _TEXT}


def document(operations: Iterable[Operation], *, title: str, version: str, description: str) -> Schema:
    """The document of all operations that are not hidden."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - loads with the document

    from shared.platform.http.schemas import ApiSchemas  # noqa: PLC0415 - as above

    shown = [operation for operation in operations if not operation.hidden]
    wanted: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [("problem", "serialization", TypeAdapter(Problem))]
    for operation in shown:
        wanted.append((operation.name, "validation", operation.inputs.adapter))
        for status, model in _answers(operation).items():
            if model not in (type(None), func.HttpResponse):
                wanted.append((f"{operation.name} {status}", "serialization", TypeAdapter(model)))
    by_use, shared = TypeAdapter[Any].json_schemas(wanted, ref_template=_REF + "{model}", schema_generator=ApiSchemas)
    schemas: dict[str, Schema] = {use: schema for (use, _), schema in by_use.items()}
    components: dict[str, Schema] = shared["$defs"]
    paths: dict[str, dict[str, Schema]] = {}
    for operation in shown:
        path = re.sub(r"\{\*(\w+)\}", r"{\1}", operation.route)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, schemas, components)
    for operation in shown:
        components.pop(operation.name, None)
    used = json.dumps([paths, components])
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "servers": [{"url": "/"}],
        "paths": paths,
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in shown)],
        "components": {
            "schemas": {name: schema for name, schema in components.items() if f'"{_REF}{name}"' in used},
            "securitySchemes": {name: s for operation in shown for name, s in operation.needs.schemes.items()},
        },
    }


def _operation(operation: Operation, schemas: dict[str, Schema], components: dict[str, Schema]) -> Schema:
    inputs = _resolved(schemas[operation.name], components).get("properties", {})
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _filled(inputs[name])}
        for name in operation.inputs.path_names
    ]
    for use, place in (("query", "query"), ("headers", "header")):
        parameters += _parameters(_resolved(inputs.get(use, {}), components), place)
    described: Schema = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": parameters,
        "responses": _responses(operation, schemas, paged=any(one["name"] == "cursor" for one in parameters)),
        "security": [{name: []} for name in operation.needs.schemes],
    }
    if operation.handler.__doc__:
        described["description"] = re.sub(r"\n\s+", "\n", operation.handler.__doc__).strip()
    if "body" in inputs:
        raw = operation.inputs.types["body"] is bytes
        content: Schema = {operation.consumes: {}} if raw else {"application/json": {"schema": inputs["body"]}}
        described["requestBody"] = {"required": operation.inputs.body_required, "content": content}
    return described


def _resolved(schema: Schema, components: dict[str, Schema]) -> Schema:
    return components[schema["$ref"].removeprefix(_REF)] if "$ref" in schema else schema


def _parameters(model: Schema, place: str) -> list[Schema]:
    parameters: list[Schema] = []
    for name, property_ in model.get("properties", {}).items():
        required = name in model.get("required", [])
        schema = {key: value for key, value in property_.items() if key not in ("title", "description")}
        # Absence is how a query says null, so null is no value of a parameter.
        options = [option for option in schema.pop("anyOf", []) if option != {"type": "null"}]
        schema |= options[0] if len(options) == 1 else {"anyOf": options} if options else {}
        if schema.get("default", ...) is None:
            del schema["default"]
        shown = name.replace("_", "-") if place == "header" else name
        parameter: Schema = {"name": shown, "in": place, "required": required}
        parameter["schema"] = _filled(schema) if required else schema
        if place == "query" and not required:
            parameter["allowEmptyValue"] = True  # it counts as absent, as in Azure
        parameters.append(parameter | {key: property_[key] for key in ("description",) if key in property_})
    return parameters


def _filled(schema: Schema) -> Schema:
    """An empty text counts as absent in a path, query or header, so where one is needed it is too short."""
    return {"minLength": 1} | schema if schema.get("type") == "string" and "enum" not in schema else schema


def _answers(operation: Operation) -> dict[int, Any]:
    return {operation.status: answers_with(operation.inputs.returns), **operation.also}


def _responses(operation: Operation, schemas: dict[str, Schema], *, paged: bool) -> Schema:
    responses: Schema = {}
    for status, model in _answers(operation).items():
        answer: Schema = {"description": HTTPStatus(status).phrase}
        responses[str(status)] = answer
        if f"{operation.name} {status}" in schemas:
            answer["content"] = {"application/json": {"schema": schemas[f"{operation.name} {status}"]}}
        elif model is func.HttpResponse:
            answer["content"] = {media_type: {} for media_type in operation.produces.split(", ")}
        if get_origin(model) is list:
            answer["headers"] = _LISTED
        elif isinstance(model, type) and issubclass(model, Accepted):
            answer["headers"] = _ACCEPTED
    refusals = [operation.unusable] if operation.inputs.names - {"client", "caller", "request"} else []
    refusals += [400] if paged and operation.unusable != HTTPStatus.BAD_REQUEST else []
    refusals += [401, 403] if operation.needs.schemes else []
    refusals += [413, 415] if "body" in operation.inputs.names else []
    problem = {"content": {"application/problem+json": {"schema": schemas["problem"]}}}
    responses |= {str(status): {"description": HTTPStatus(status).phrase, **problem} for status in refusals}
    return responses | {"default": {"description": "Any other refusal or failure", **problem}}

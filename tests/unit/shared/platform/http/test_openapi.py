import json

import pytest
from pydantic import BaseModel

from shared.platform.access.auth import PUBLIC
from shared.platform.http import Reply, Routes
from shared.platform.http.openapi import document


@pytest.fixture
def api(operations):
    return document(operations, title="Stones", version="1", description="d")


def test_every_operation_is_described(api, operations):
    described = {(o["operationId"], method, path) for path, ms in api["paths"].items() for method, o in ms.items()}
    declared = {(o.name, o.method.lower(), o.route.replace("{*path}", "{path}")) for o in operations}
    assert described == declared
    assert api["openapi"] == "3.1.0"
    assert api["paths"]["/stones/{stone}"]["get"]["description"] == "What is known about the stone."


def test_every_reference_leads_somewhere(api):
    def references(node):
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    found = set(references(api))
    assert found
    assert {f"#/components/schemas/{name}" for name in api["components"]["schemas"]} == found


def test_parameters(api):
    parameters = {p["name"]: p for p in api["paths"]["/stones"]["get"]["parameters"]}
    assert set(parameters) == {"limit", "cursor", "shape", "lab_grown", "text"}
    assert parameters["limit"]["schema"] == {"default": 50, "maximum": 100, "minimum": 1, "type": "integer"}
    assert parameters["lab_grown"]["schema"] == {"type": "boolean"}
    assert parameters["text"]["schema"] == {"type": "string"}
    assert parameters["text"]["allowEmptyValue"] is True
    (header,) = api["paths"]["/stones"]["post"]["parameters"]
    assert (header["name"], header["in"], header["required"]) == ("X-Idempotency-Key", "header", True)
    (path,) = api["paths"]["/stones/{stone}"]["get"]["parameters"]
    assert (path["required"], path["schema"]["format"]) == (True, "uuid")


def test_answers(api):
    add = api["paths"]["/stones"]["post"]["responses"]
    assert set(add) == {"201", "400", "401", "403", "413", "415", "default"}
    assert add["401"]["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    start = api["paths"]["/runs"]["post"]
    assert set(start["responses"]["202"]["headers"]) == {"Location", "Retry-After"}
    assert start["requestBody"]["required"] is False
    assert api["paths"]["/stones/{stone}"]["delete"]["responses"]["204"] == {"description": "No Content"}
    keep = api["paths"]["/files/{path}"]["put"]
    assert keep["requestBody"]["content"] == {"application/zip": {}}
    assert keep["responses"]["200"]["content"] == {"text/plain": {}}


def test_security(api):
    assert api["paths"]["/stones"]["post"]["security"] == [{"AdminKey": []}]
    assert api["paths"]["/stones"]["get"]["security"] == []
    assert api["components"]["securitySchemes"]["AdminKey"]["name"] == "X-Admin-Key"


def test_further_statuses_and_hidden_routes():
    class Fine(BaseModel):
        ok: bool

    class Broken(BaseModel):
        why: str

    routes = Routes(tag="t")

    @routes.get("/state", needs=PUBLIC, summary="s", also={503: Broken})
    async def state() -> Reply[Fine]: ...

    @routes.get("/page", needs=PUBLIC, summary="s", hidden=True)
    async def shown_page() -> None: ...

    api = document(routes.operations, title="t", version="1", description="d")
    answers = api["paths"]["/state"]["get"]["responses"]
    assert answers["200"]["content"]["application/json"]["schema"]["$ref"].endswith("Fine")
    assert answers["503"]["content"]["application/json"]["schema"]["$ref"].endswith("Broken")
    assert list(api["paths"]) == ["/state"]


def test_models_of_the_same_name_stay_apart():
    def one():
        class Item(BaseModel):
            a: int

        return Item

    def two():
        class Item(BaseModel):
            b: int

        return Item

    routes = Routes(tag="t")
    for name, model in (("first", one()), ("second", two())):

        async def handler() -> None: ...

        handler.__name__ = name
        handler.__annotations__ = {"return": model}
        routes.get(f"/{name}", needs=PUBLIC, summary="s")(handler)
    api = document(routes.operations, title="t", version="1", description="d")
    properties = [set(schema["properties"]) for schema in api["components"]["schemas"].values()]
    assert {"a"} in properties
    assert {"b"} in properties


def test_the_document_is_json(api):
    assert json.loads(json.dumps(api)) == api

"""What a handler gives back becomes an answer with its status and headers."""

import json
from uuid import UUID, uuid4

import azure.functions as func
from pydantic import BaseModel

from shared.platform.access.auth import PUBLIC
from shared.platform.http import Reply, Routes
from shared.platform.http.openapi import document


async def test_a_list_of_models_is_an_array_and_names_its_next_page():
    routes = Routes(tag="t")

    class Named(BaseModel):
        name: str

    async def handler() -> Reply[list[Named]]:
        return Reply([Named(name="a"), Named(name="ü")], headers={"Link": '</x?cursor=2>; rel="next"'})

    handler.__annotations__["return"] = Reply[list[Named]]
    routes.get("/x", needs=PUBLIC, summary="s")(handler)
    answer = await routes.operations[0].answer(func.HttpRequest("GET", "https://app/x", body=b""))
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert json.loads(answer.get_body()) == [{"name": "a"}, {"name": "ü"}]
    assert answer.headers["Link"] == '</x?cursor=2>; rel="next"'
    described = document(routes.operations, title="t", version="1", description="d")["paths"]["/x"]["get"]
    assert described["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "array"
    assert described["responses"]["200"]["headers"].keys() == {"Link"}


async def test_accepted_work_has_a_location(ask):
    answer = await ask("POST", "/runs", {"text": "r1"})
    assert (answer.status_code, answer.headers["Location"], answer.headers["Retry-After"]) == (202, "/runs/r1", "2")
    assert json.loads(answer.get_body()) == {"id": "r1", "location": "/runs/r1"}


async def test_a_location_fits_into_a_header(ask):
    answer = await ask("POST", "/runs", {"text": "a b\r\nX-Evil: 1/é"})
    assert answer.headers["Location"] == "/runs/a%20b%0D%0AX-Evil:%201/%C3%A9"


async def test_nothing_to_say_is_204(ask):
    answer = await ask("DELETE", f"/stones/{uuid4()}")
    assert (answer.status_code, answer.get_body()) == (204, b"")


async def test_a_handler_that_gives_back_no_model_fails_loudly(caplog):
    routes = Routes(tag="t")

    @routes.get("/x", needs=PUBLIC, summary="s")
    async def handler() -> UUID:
        return uuid4()

    answer = await routes.operations[0].answer(func.HttpRequest("GET", "/x", body=b""))
    assert answer.status_code == 500
    assert "which is no pydantic model" in caplog.text

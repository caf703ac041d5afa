"""The supplier in this process, spoken to without a socket."""

from contextlib import asynccontextmanager

import httpx
import pytest

from local.supplier.app import create_app

LOGIN = 'query { authenticate { username_and_password(username: "manifold", password: "manifold") { token } } }'


class Client:
    """Logged in, and asking GraphQL."""

    def __init__(self, app, http: httpx.AsyncClient) -> None:
        self.http = http
        self.supplier = app.state.supplier

    async def login(self) -> None:
        answer = (await self.post(LOGIN)).json()
        token = answer["data"]["authenticate"]["username_and_password"]["token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    async def post(self, query: str, **variables) -> httpx.Response:
        return await self.http.post("/graphql", json={"query": query, "variables": variables})

    async def ask(self, query: str, **variables):
        response = await self.post(query, **variables)
        assert response.status_code == 200
        answer = response.json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def count(self, **query) -> int:
        data = await self.ask("query ($q: DiamondQuery) { diamonds_by_query_count(query: $q) }", q=query)
        return data["diamonds_by_query_count"]

    async def page(self, offset=0, limit=50, order=None, fields="id price diamond { id }", **query):
        document = (
            "query ($q: DiamondQuery, $offset: Int, $limit: Int, $order: DiamondOrder) { diamonds_by_query("
            f"query: $q, offset: $offset, limit: $limit, order: $order) {{ total_count items {{ {fields} }} }} }}"
        )
        data = await self.ask(document, q=query, offset=offset, limit=limit, order=order)
        return data["diamonds_by_query"]


@pytest.fixture
def connect():
    """Start a supplier and log in: `async with connect(600) as client`."""

    @asynccontextmanager
    async def connected(diamonds=600, **options):
        app = create_app(diamonds, **options)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://supplier") as http:
            client = Client(app, http)
            await client.login()
            yield client

    return connected

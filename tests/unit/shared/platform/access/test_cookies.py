"""What one host sets is not sent to another, nor back."""

import httpx

from shared.platform.access.cookies import no_cookies


async def test_a_shared_client_keeps_no_cookies() -> None:
    received: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        received.append(request.headers.get("cookie"))
        return httpx.Response(200, headers={"Set-Cookie": "session=one; Domain=apps.example"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), cookies=no_cookies()) as client:
        await client.get("https://one.apps.example/")
        await client.get("https://two.apps.example/")
        await client.get("https://one.apps.example/")
    assert received == [None, None, None]

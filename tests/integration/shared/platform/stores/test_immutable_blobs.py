"""Blobs that are created once and read whole: by key on Azurite, by the app's identity in Azure."""

import asyncio
import uuid

import pytest
from azure.core import AsyncPipelineClient
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import ServiceRequestError

from shared.platform import credentials
from shared.platform.errors import TransientError
from shared.platform.stores.blobs import close_blobs, read_blob
from shared.platform.stores.immutable_blobs import create_once, read_whole
from tests.fresh_settings import forget_settings
from tests.present import present


@pytest.fixture
async def container(storage):
    yield f"once-{uuid.uuid4().hex}"
    await close_blobs()


async def test_a_blob_is_created_once_and_its_container_with_the_first(container):
    assert await read_whole(container, "log/1") is None
    assert await create_once(container, "log/1", b"first")
    assert not await create_once(container, "log/1", b"second")
    assert await read_whole(container, "log/1") == b"first"
    assert await read_whole(container, "log/2") is None
    assert present(await read_blob(container, "log/1")).data == b"first"


async def test_of_many_who_create_one_blob_one_does(container):
    answers = await asyncio.gather(*(create_once(container, "a", f"{number}".encode()) for number in range(20)))
    assert sum(answers) == 1
    assert await read_whole(container, "a") == f"{answers.index(True)}".encode()


async def test_a_name_is_taken_as_it_stands(container):
    assert await create_once(container, "a b/ü?x#y", b"odd")
    assert await read_whole(container, "a b/ü?x#y") == b"odd"


@pytest.mark.parametrize("failure", [ServiceRequestError("no connection"), 503])
async def test_a_storage_that_does_not_answer_is_said_so(container, monkeypatch, failure):
    await create_once(container, "a", b"there")
    send = AsyncPipelineClient.send_request

    async def fails(self, request, **options):
        if isinstance(failure, Exception):
            raise failure
        answer = await send(self, request, **options)
        answer.status_code = failure
        return answer

    monkeypatch.setattr(AsyncPipelineClient, "send_request", fails)
    for call in (read_whole(container, "a"), create_once(container, "b", b"new")):
        with pytest.raises(TransientError) as raised:
            await call
        assert raised.value.code == "storage-unavailable"


async def test_in_azure_a_request_bears_the_token_of_the_apps_identity(monkeypatch):
    asked, sent = [], []

    class Identity:
        async def get_token_info(self, *scopes, options=None):
            asked.append(scopes)
            return AccessTokenInfo("the-token", 2**31)

        async def get_token(self, *scopes, **options):
            asked.append(scopes)
            return AccessToken("the-token", 2**31)

    class Transport:
        async def send(self, request, **options):
            sent.append(request)
            raise ServiceRequestError("There is no such account.")

        async def open(self): ...
        async def close(self): ...
        async def __aenter__(self): ...
        async def __aexit__(self, *error): ...

    monkeypatch.delenv("STORAGE_CONNECTION", raising=False)
    monkeypatch.setenv("POSTGRES_DSN", "host=unused")
    monkeypatch.setenv("STORAGE_BLOB_ENDPOINT", "https://account.blob.core.windows.net/")
    monkeypatch.setattr(credentials, "credential", Identity)
    monkeypatch.setattr("shared.platform.stores.blobs.credential", Identity)
    monkeypatch.setattr("shared.platform.stores.immutable_blobs.transport_of", lambda _: Transport())
    forget_settings()
    try:
        with pytest.raises(TransientError):
            await read_whole("container", "name")
    finally:
        await close_blobs()
        forget_settings()
    [request] = sent
    assert request.headers["Authorization"] == "Bearer the-token"
    assert request.url == "https://account.blob.core.windows.net/container/name"
    assert asked == [("https://storage.azure.com/.default",)]

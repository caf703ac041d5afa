"""An address that lets whoever has it do one thing with one blob for a while."""

import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from shared.platform.stores.signed_urls import UPLOAD_HEADERS, create_url, read_url

HOUR = timedelta(hours=1)


@pytest.fixture
def container(storage):
    return f"signed-{uuid.uuid4().hex}"


async def test_an_address_for_creating_a_blob_neither_reads_nor_replaces_it(container):
    place = await create_url(container, "a/b.bin", HOUR)
    assert timedelta(minutes=59) < place.expires_at - datetime.now(UTC) <= HOUR
    async with httpx.AsyncClient() as http:
        assert (await http.put(place.url, content=b"mine", headers=UPLOAD_HEADERS)).status_code == 201
        assert (await http.put(place.url, content=b"another", headers=UPLOAD_HEADERS)).status_code in (403, 409)
        assert (await http.get(place.url)).status_code == 403
        assert (await http.delete(place.url)).status_code == 403
        other = place.url.replace("b.bin", "c.bin")
        assert (await http.put(other, content=b"x", headers=UPLOAD_HEADERS)).status_code == 403


async def test_an_address_for_reading_saves_the_blob_under_its_name_until_it_expires(container):
    async with httpx.AsyncClient() as http:
        made = await create_url(container, "a", HOUR)
        await http.put(made.url, content=b"data", headers=UPLOAD_HEADERS)
        place = await read_url(container, "a", HOUR, file_name="Miete für März.pdf", content_type="application/pdf")
        answer = await http.get(place.url)
        assert (answer.status_code, answer.content) == (200, b"data")
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''Miete%20f%C3%BCr%20M%C3%A4rz.pdf"
        assert (await http.put(place.url, content=b"x", headers=UPLOAD_HEADERS)).status_code == 403
        over = await read_url(container, "a", -timedelta(minutes=1), file_name="a", content_type="text/plain")
        assert (await http.get(over.url)).status_code == 403

"""Documents in Cosmos DB when the account hangs or is away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from local.cosmos.testing import running
from shared.platform.errors import TransientError
from shared.platform.stores import cosmos
from shared.platform.stores.cosmos import Documents
from tests.fresh_settings import forget_settings
from tests.integration.closing import close_cosmos

DOCUMENTS = Documents("things", partition="owner")
CALLS = {
    "find": lambda: DOCUMENTS.find("one", "me"),
    "create": lambda: DOCUMENTS.create({"id": "two", "owner": "me"}),
    "replace": lambda: DOCUMENTS.replace({"id": "one", "owner": "me"}, seen='"x"'),
    "delete": lambda: DOCUMENTS.delete("one", "me"),
    "query": lambda: DOCUMENTS.query("SELECT * FROM c", {}, partition="me"),
}


@pytest.fixture
async def account(tmp_path, monkeypatch):
    with running(tmp_path) as process:
        monkeypatch.setenv("COSMOS_CONNECTION", process.connection_string)
        monkeypatch.setenv("POSTGRES_DSN", "host=unused")
        forget_settings()
        yield process
        await close_cosmos()
        forget_settings()


@pytest.mark.parametrize("opened", [True, False])
async def test_defect_no_call_waits_for_an_account_that_hangs(account, monkeypatch, opened: bool) -> None:
    if opened:
        await DOCUMENTS.create({"id": "one", "owner": "me"})
    monkeypatch.setattr(cosmos, "ANSWER_SECONDS", 0.5)
    with account.hanging():
        async with asyncio.timeout(20):
            answers: list[Any] = await asyncio.gather(*(call() for call in CALLS.values()), return_exceptions=True)
    assert [(type(one), one.code) for one in answers] == [(TransientError, "cosmos-unavailable")] * len(CALLS)
    assert "did not answer within 0.5 s" in answers[0].message
    monkeypatch.setattr(cosmos, "ANSWER_SECONDS", 15)
    assert await DOCUMENTS.find("none", "me") is None

"""Rows that are not what the backup says are found out."""

from unittest.mock import AsyncMock

import pytest

from shared.backups.blobs.manifests import read_verdict
from shared.backups.contents import chunks
from tests.integration.shared.backups.conftest import execute, take
from tests.present import present

pytestmark = pytest.mark.usefixtures("small_chunks")


async def test_a_restore_that_lacks_a_row_is_told(filled, mails, monkeypatch):
    real = chunks.import_chunk

    async def lossy(connection, of, chunk):
        await real(connection, of, chunk)
        if of.name == "models":
            await connection.execute("update papers.models set name = 'another'")

    monkeypatch.setattr("shared.backups.restoring.loading.import_chunk", lossy)
    outcome = await take(1, verify=True)
    assert outcome.verified is False
    assert present(await read_verdict("20261101T000100Z")).differences == ["papers.models: other values"]
    [mail] = mails.mails(10)
    assert "papers.models: other values" in mail.text


async def test_rows_that_changed_while_their_versions_did_not_are_found_out(filled, mails, monkeypatch):
    await take(1)
    # As where the disk has changed them, or two clusters were mixed up.
    monkeypatch.setattr(chunks, "_versions", same_versions := AsyncMock(return_value="1:1"))
    await take(2)
    await execute("update papers.models set name = 'another'")
    assert (await take(3, verify=True)).verified is False
    assert same_versions.await_count > 0
    differences = present(await read_verdict("20261101T000300Z")).differences
    assert "papers.models: its rows changed, and their versions did not tell" in differences
    assert "papers.models" in mails.mails(10)[0].text

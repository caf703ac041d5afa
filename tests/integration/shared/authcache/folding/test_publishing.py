"""The published files: both of one LSN, with InvestFlow's columns."""

import io

import pytest

from shared.authcache.base.format.pyarrow import parquet
from shared.authcache.folding.publishing import FILES, LSN_KEY
from shared.authcache.log.shares import ShareRevoked
from shared.authcache.settings import settings
from shared.platform.stores.blob_files import blob_details, replace_blob
from shared.platform.stores.blobs import read_blob
from tests.integration.shared.authcache.conftest import folded, granted, now, registered
from tests.present import present


async def published():
    files = []
    for file in FILES:
        blob = present(await read_blob(settings().cdc_cache_container_name, file.name))
        files.append(parquet.read_table(io.BytesIO(blob.data)))
    return files


@pytest.mark.parametrize("least_changed", [50_000, 0])
async def test_both_files_are_of_one_lsn_and_have_investflows_columns(instances, monkeypatch, least_changed):
    monkeypatch.setattr("shared.authcache.folding.folding.LEAST_CHANGED", least_changed)
    store = instances()
    ann = registered("ann@example.com", tax_rate="1.25")
    share = granted(ann.id, "bob@example.com")
    await store.commit([ann, share])
    await folded()
    lsn = await store.commit([registered("bob@example.com")])
    assert (await folded()).published
    users, shares = await published()
    assert {file.schema.metadata[LSN_KEY.encode()] for file in (users, shares)} == {str(lsn).encode()}
    assert users.column_names == [
        "id", "first_name", "last_name", "email", "password_hash", "tax_rate", "mortgage_interest_rate",
        "loc_interest_rate", "created_at", "updated_at", "is_active",
    ]  # fmt: skip
    assert shares.column_names == ["id", "user_id", "shared_email", "created_at", "updated_at"]
    assert sorted(users.column("email").to_pylist()) == ["ann@example.com", "bob@example.com"]
    assert shares.column("user_id").to_pylist() == [ann.id]
    await store.commit([ShareRevoked(at=now(), id=share.id)])
    await folded()
    assert (await published())[1].num_rows == 0


async def test_what_is_as_new_as_the_base_is_not_written_again(instances):
    await instances().commit([registered("ann@example.com")])
    assert (await folded()).published
    assert not (await folded()).published


async def test_files_of_two_lsns_are_published_anew_however_lately_and_large(instances, monkeypatch):
    monkeypatch.setattr("shared.authcache.folding.publishing.SMALL_ROWS", 0)
    store = instances()
    ann = registered("ann@example.com")
    await store.commit([ann])
    assert (await folded()).published
    await store.commit([granted(ann.id, "bob@example.com")])
    assert not (await folded()).published  # large, and published a moment ago
    users, _ = await published()
    await torn(FILES[0].name, users)
    assert (await folded()).published
    users, shares = await published()
    assert users.schema.metadata[LSN_KEY.encode()] == shares.schema.metadata[LSN_KEY.encode()]
    assert shares.num_rows == 1


async def torn(name, users):
    """What a publication leaves that died between the files: one of another LSN."""
    container = settings().cdc_cache_container_name
    data = io.BytesIO()
    parquet.write_table(users.replace_schema_metadata({LSN_KEY: "1"}), data)

    async def chunks():
        yield data.getvalue()

    seen = present(await blob_details(container, name)).etag
    await replace_blob(container, name, chunks(), seen=seen, metadata={LSN_KEY: "0"})

"""Idempotency keys: each names one deployment of its organization, also where several claim it at once."""

from __future__ import annotations

import asyncio

from shared.deploys.documents import keys, store


async def test_of_several_deployments_one_has_the_key(new, state) -> None:
    assert await keys.find(state, "a key") is None
    deployments = [new() for _ in range(4)]
    named = await asyncio.gather(*(keys.claim(one, "a key") for one in deployments))
    assert len(set(named)) == 1
    assert named[0] in {one.id for one in deployments}
    assert await keys.find(state, "a key") == named[0]
    assert await keys.find("another-organization", "a key") is None


async def test_a_key_is_deleted_with_its_deployment(new, state) -> None:
    written = await store.create(new(key_document=keys.document_id("a key")))
    await keys.claim(written, "a key")
    await store.delete(written)
    assert await keys.find(state, "a key") is None

"""A verification takes as many time boxes as it needs."""

from collections import Counter

import pytest

from activities.backups import backing_up
from orchestrators.backups.backing_up import back_up
from shared.backups.blobs.manifests import read_manifest
from shared.backups.models import TakeAndVerify
from shared.backups.restoring import building, loading
from shared.backups.verification import comparing
from tests.fresh_settings import forget_settings
from tests.integration.player import Player
from tests.integration.shared.backups.conftest import CHAIN, fetch

pytestmark = pytest.mark.usefixtures("small_chunks")


async def test_verifying_takes_as_many_boxes_as_it_needs_and_no_index_of_vectors(filled, monkeypatch):
    clock = iter(range(0, 100_000_000, 2))
    for module in (backing_up, building, comparing, loading):
        monkeypatch.setattr(module, "monotonic", clock.__next__)
    monkeypatch.setenv("BACKUPS_BOX_SECONDS", "1")
    forget_settings()
    calls: Counter[str] = Counter()

    class Counting(Player):
        def call_activity(self, name, payload):
            calls[name] += 1
            return super().call_activity(name, payload)

    task = TakeAndVerify(id="20261101T000100Z", chain=CHAIN, verify=True)
    statements = await fetch("select count(*) from pg_constraint where contype = 'f'")
    outcome = await Counting().play(back_up, task)
    assert outcome.verified is True
    manifest = await read_manifest()
    assert calls["load_scratch"] > len(manifest.tables), "a table is loaded in several"
    assert 5 < calls["build_scratch"] <= statements[0]["count"] + 2, "foreign keys alone"
    assert calls["verify_scratch"] > len(manifest.tables)

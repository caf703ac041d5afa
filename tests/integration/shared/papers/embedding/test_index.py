"""The index of nearest neighbours is built where it is worthwhile and fits."""

import re

import pytest

from shared.papers.embedding import index, versions
from tests.integration.shared.papers.embedding.conftest import enrich
from tests.present import present


async def test_an_index_is_built_where_it_is_worthwhile_and_fits(some, model, monkeypatch):
    await enrich()
    version = present(await versions.current())
    few = await index.build(version)
    assert (few.indexed, few.reason) == (False, "35 vectors are searched one by one")
    assert present(await versions.current()).index == few.reason
    monkeypatch.setattr(index, "WORTHWHILE", 10)
    assert present(await versions.current()).index == "due"
    monkeypatch.setattr(index, "index_bytes", lambda *_: 5_000_000_000)
    assert "takes about 5.0 GB" in present(await versions.current()).index
    large = await index.build(version)
    assert not large.indexed
    assert large.reason == (
        "an index of 35 vectors of 64 dimensions takes about 5.0 GB, more than PAPERS_INDEX_GB allows (4)"
    )
    monkeypatch.undo()


def test_an_index_that_is_being_built_shows_how_far_it_is():
    assert index.described(50_000, 256, None, 40) == "being built, 40 %"
    assert index.described(50_000, 256, 47_300_000, None) == "built, 47 MB"


async def test_the_index_is_there_once_it_was_built(some, model, monkeypatch):
    await enrich()
    monkeypatch.setattr(index, "WORTHWHILE", 10)
    version = present(await versions.current())
    assert (await index.build(version)).indexed
    assert (await index.build(version)).indexed
    found = present(await versions.current())
    assert found.indexed
    assert re.fullmatch(r"built, \d+ MB", found.index)
    searched = present(await versions.searched())
    assert (searched.model_id, searched.indexed) == (found.model_id, True)


def test_the_estimate_is_near_to_what_was_measured():
    """50,000 vectors of 256 half-precision numbers took 47.3 MB."""
    assert index.index_bytes(50_000, 256) == pytest.approx(47.3e6, rel=0.1)

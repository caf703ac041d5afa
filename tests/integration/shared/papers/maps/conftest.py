"""Papers with hashed vectors of several subjects, and maps of them."""

import random
import struct

import numpy as np
import pytest

from orchestrators.papers.embedding import paper_enrich
from orchestrators.papers.mapping import paper_map, paper_map_additions
from shared.papers.maps import placing, versions
from shared.papers.maps.models import MapRef
from shared.platform.durable import Nothing
from tests.fresh_settings import forget_settings
from tests.integration.player import Player
from tests.integration.shared.papers.conftest import record
from tests.present import present

SUBJECTS = {
    "astronomy": "galaxy star redshift telescope supernova halo dust spectrum",
    "learning": "network gradient training layer dataset attention loss transformer",
    "genetics": "gene protein genome expression mutation cell sequencing enzyme",
    "geometry": "manifold curvature bundle cohomology sheaf torsion variety fibration",
}


def about(number, subject, **fields):
    """A record whose words are of one subject."""
    chosen = random.Random(number)
    words = SUBJECTS[subject].split()
    text = " ".join(chosen.choice(words) for _ in range(40))
    title = f"{chosen.choice(words)} {chosen.choice(words)} {number}"
    return record(number, **{"title": title, "abstract": text, "categories": subject, **fields})


def some(count, first=0):
    """Records of all subjects in turns."""
    names = list(SUBJECTS)
    return [about(number, names[number % len(names)]) for number in range(first, first + count)]


class Maps:
    """The papers, and the maps that are made of them."""

    def __init__(self, papers):
        self.papers = papers

    async def add(self, records):
        await self.papers.ingest(await self.papers.put(f"{records[0]['id']}-{len(records)}.jsonl", records))
        await Player().play(paper_enrich, Nothing())

    async def make(self):
        version = await versions.accept("test")
        await Player().play(paper_map, version)
        return version.version

    async def place(self):
        version = present(await placing.current_version())
        return (await Player().play(paper_map_additions, MapRef(version=version))).papers


@pytest.fixture
async def maps(papers, monkeypatch):
    monkeypatch.setenv("PAPERS_EMBEDDER", "hashing")
    monkeypatch.setenv("PAPERS_MAP_FITTER", "pca")
    monkeypatch.setenv("PAPERS_MAP_SAMPLE", "150")
    forget_settings()
    return Maps(papers)


POINT = [("x", "<u2"), ("y", "<u2"), ("class", "u1"), ("year", "u1"), ("cluster", "u1")]


def decoded(data):
    """The header and the columns of a file of fewer points than a block has."""
    head = struct.unpack_from("<4sHHIIII4dH", data)
    count, at, columns = head[5], 64, {}
    for name, kind in POINT:
        columns[name] = np.frombuffer(data, kind, count, at)
        at += columns[name].nbytes
    assert at == len(data)
    return head, columns

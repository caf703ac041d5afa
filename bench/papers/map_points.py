"""A made-up map in the format of docs/papers-map.md: regions within regions, of three levels, and 300 rare papers."""

from __future__ import annotations

import hashlib
import math
import random
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

BLOCK = 65_536
STEPS = 65_535
YEAR_BASE = 1899
EXTENT = (-1.0, -0.9, 1.0, 0.9)
SOURCES = ("arxiv", "pubmed", "openalex", "crossref", "rare")
RARE = 4
NONE = 255
SUBJECTS = {
    "galaxies, stars, redshift": ("dark matter halos", "exoplanet transits", "pulsar timing", "galaxy clusters"),
    "neural networks, learning": ("language models", "image segmentation", "reinforcement learning", "graph networks"),
    "patients, treatment, trials": ("oncology trials", "cardiac risk", "vaccines", "mental health"),
    "genes, proteins, cells": ("gene expression", "protein folding", "immune cells", "microbiome"),
    "quantum, spin, lattice": ("topological phases", "superconductors", "cold atoms", "spin chains"),
    "groups, manifolds, algebras": ("Lie algebras", "moduli spaces", "number fields", "knot invariants"),
    "markets, policy, growth": ("asset prices", "labour markets", "monetary policy", "trade"),
    "climate, ocean, carbon": ("sea ice", "aerosols", "soil carbon", "rainfall extremes"),
    "polymers, catalysts, synthesis": ("lithium batteries", "perovskites", "enzyme catalysis", "membranes"),
}
FINER = ("surveys", "simulation", "theory", "methods", "measurement")


@dataclass
class MadeMap:
    """A version of the map: its points by number, its two files, and its JSON."""

    x: npt.NDArray[np.uint16]
    y: npt.NDArray[np.uint16]
    source: npt.NDArray[np.uint8]
    year: npt.NDArray[np.uint8]
    cluster: npt.NDArray[np.uint8]
    clusters: list[dict[str, Any]]
    additions: int = 0
    points: bytes = field(default=b"", repr=False)
    density: bytes = field(default=b"", repr=False)

    def __len__(self) -> int:
        return len(self.x)

    def file(self, first: int, last: int) -> bytes:
        """The points from `first` up to `last`, as a file or an answer has them."""
        head = struct.pack("<4sHHIIIIddddH6x", b"PMAP", 1, 7, 3, first, last - first, BLOCK, *EXTENT, YEAR_BASE)
        parts = [head]
        for at in range(first, last, BLOCK):
            to = min(at + BLOCK, last)
            parts += [one[at:to].tobytes() for one in (self.x, self.y, self.source, self.year, self.cluster)]
        return b"".join(parts)

    def described(self) -> dict[str, Any]:
        """The JSON of the version."""
        published = len(self) - self.additions
        dated = self.year[self.year > 0]
        of_source = np.bincount(self.source, minlength=len(SOURCES))
        files = {"points": self.points, "density": self.density}
        return {
            "version": 3,
            "state": "current",
            "model": "static l2-supercat-256",
            "fitter": "tsne",
            "papers": published,
            "additions": self.additions,
            "extent": dict(zip(("x_min", "y_min", "x_max", "y_max"), EXTENT, strict=True)),
            "classes": [{"class": at, "name": name, "papers": int(of_source[at])} for at, name in enumerate(SOURCES)],
            "years": {
                "first": YEAR_BASE + int(dated.min()),
                "last": YEAR_BASE + int(dated.max()),
                "undated": len(self) - len(dated),
            },
            "levels": 3,
            "clusters": self.clusters,
            **{
                name: {
                    "href": f"/api/papers/map/3/{name}",
                    "bytes": len(data),
                    "sha256": hashlib.sha256(data).hexdigest(),
                }
                for name, data in files.items()
            },
            "moved": 0.004,
            "drift": {"due": False, "because": []},
            "started_at": "2026-11-30T02:00:00Z",
            "current_since": "2026-11-30T03:00:00Z",
        }


def made_map(count: int, *, additions: int = 0, rare: int = 300) -> MadeMap:
    """A map of `count` papers and some that came since; the same for the same figures."""
    clusters, shapes = _regions(random.Random(16))
    total, chosen = count + additions, np.random.default_rng(16)
    weights = np.array([shape.weight for shape in shapes])
    place = chosen.choice(len(shapes), total, p=weights / weights.sum())
    u, v = chosen.normal(size=total), chosen.normal(size=total)
    of = {name: np.array([getattr(shape, name) for shape in shapes])[place] for name in _Shape.__match_args__}
    along, across = u * of["wide"], v * of["high"] + of["bend"] * (u * u - 1) * of["wide"]
    x = of["x"] + along * np.cos(of["turn"]) - across * np.sin(of["turn"])
    y = of["y"] + along * np.sin(of["turn"]) + across * np.cos(of["turn"])
    source = chosen.choice(RARE, total, p=(0.6, 0.21, 0.13, 0.06)).astype(np.uint8)
    source[chosen.choice(count, min(rare, count), replace=False)] = RARE
    year = np.clip(np.rint(of["year"] + 6 * v), 92, 127)
    found = MadeMap(
        *(np.clip(np.rint((one + 1) / 2 * STEPS), 0, STEPS).astype(np.uint16) for one in (x, y)),
        source=source,
        year=np.where(np.arange(total) % 59, year, 0).astype(np.uint8),
        cluster=np.where(np.abs(u) < 2.4, place, NONE).astype(np.uint8),
        clusters=clusters,
        additions=additions,
    )
    for cluster in clusters:
        cluster["papers"] = max(1, round(total * cluster["papers"]))
    found.points, found.density = found.file(0, count), _density(found, count)
    return found


@dataclass(frozen=True)
class _Shape:
    """A bent cloud of papers."""

    x: float
    y: float
    wide: float
    high: float
    turn: float
    bend: float
    year: float
    weight: float


def _regions(chosen: random.Random) -> tuple[list[dict[str, Any]], list[_Shape]]:
    """The clusters of three levels, their `papers` as shares of all, and a shape for each of the finest."""
    clusters: list[dict[str, Any]] = []
    shapes: list[_Shape] = []

    def add(level: int, parent: int | None, name: str, at: tuple[float, float]) -> dict[str, Any]:
        x, y = at
        one = {
            "cluster": len(clusters),
            "level": level,
            "parent": parent,
            "name": name,
            "words": name.replace(",", "").split(),
            "papers": 0.0,
            "x": x * (EXTENT[2] - EXTENT[0]) / 2,
            "y": y * (EXTENT[3] - EXTENT[1]) / 2,
            "number": None,
        }
        clusters.append(one)
        return one

    for index, (subject, parts) in enumerate(SUBJECTS.items()):
        angle, far = index * 2.39996, 0.66 * math.sqrt((index + 0.4) / len(SUBJECTS))
        middle = (far * math.cos(angle), far * math.sin(angle))
        top = add(0, None, subject, middle)
        for part in parts:
            turn, away = chosen.uniform(0, math.tau), chosen.uniform(0.09, 0.2)
            at = (middle[0] + away * math.cos(turn), middle[1] + away * math.sin(turn))
            inner = add(1, top["cluster"], part, at)
            for kind in FINER:
                place = (at[0] + chosen.gauss(0, 0.04), at[1] + chosen.gauss(0, 0.04))
                weight = chosen.uniform(0.2, 1) ** 2
                finest = add(2, inner["cluster"], f"{part}: {kind}", place)
                finest["number"], finest["papers"] = len(shapes), weight
                wide = chosen.uniform(0.012, 0.04)
                year = 100 + 25 * chosen.random()
                high = wide * chosen.uniform(0.25, 0.7)
                shapes.append(
                    _Shape(*place, wide, high, chosen.uniform(0, math.tau), chosen.uniform(-0.5, 0.5), year, weight)
                )
    total = sum(shape.weight for shape in shapes)
    for one in reversed(clusters):
        one["papers"] = one["papers"] / total if one["level"] == 2 else one["papers"]
        if one["parent"] is not None:
            clusters[one["parent"]]["papers"] += one["papers"]
    return clusters, shapes


def _density(made: MadeMap, count: int) -> bytes:
    """The file of the view from far off: four levels, each of the commonest values by cell."""
    parts = [struct.pack("<4sHHIIIIddddH6x", b"PDEN", 1, 4, 3, 0, count, 32, *EXTENT, YEAR_BASE)]
    for side in (32, 64, 128, 256):
        shift, cells = 17 - side.bit_length(), side * side
        cell = (made.y[:count].astype(np.int64) >> shift) * side + (made.x[:count] >> shift)
        counts = np.bincount(cell, minlength=cells)
        dated = np.where(made.year[:count] > 0, 1, 0)
        years = np.bincount(cell, made.year[:count], cells) / np.maximum(1, np.bincount(cell, dated, cells))
        parts.append(counts.astype("<u4").tobytes())
        parts.append(_commonest(cell, made.source[:count], cells).tobytes())
        parts.append(np.rint(years).astype(np.uint8).tobytes())
        parts.append(_commonest(cell, made.cluster[:count], cells).tobytes())
    return b"".join(parts)


def _commonest(cell: npt.NDArray[np.int64], values: npt.NDArray[np.uint8], cells: int) -> npt.NDArray[np.uint8]:
    """The value that most points of each cell have; 255 where there are none."""
    pairs, counts = np.unique(cell * 256 + values, return_counts=True)
    found = np.full(cells, NONE, np.uint8)
    order = np.argsort(counts, kind="stable")  # of a cell, the commonest is written last
    found[pairs[order] // 256] = (pairs[order] % 256).astype(np.uint8)
    return found

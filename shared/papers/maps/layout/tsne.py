"""t-SNE by openTSNE, from neighbours that are known: in boxes of seconds, so that a fit can go on after a death.

openTSNE is an extra (requirements-fitting.txt); nothing but a fit loads it.
"""

from __future__ import annotations

import os
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from shared.papers.maps.layout import aligning

if TYPE_CHECKING:
    from collections.abc import Callable

EARLY: Final = 250
"""Steps of a first fit in which groups are drawn together before they are laid out."""
FIRST: Final = 750
"""Steps of a first fit."""
AGAIN: Final = 150
"""Steps of a fit that begins at the map before: enough for what is new to find its place."""
_MANY: Final = 5_000
"""Papers from which on several threads are sooner than one, which waits for no other."""
LEAST: Final = 50
"""Papers; of fewer the two widest directions say as much."""
_AT_ONCE: Final = 25


def installed() -> bool:
    """Whether openTSNE is there, without loading it."""
    return find_spec("openTSNE") is not None


def steps(*, begun_before: bool) -> int:
    """How many steps a fit has."""
    return AGAIN if begun_before else FIRST


def improve(
    positions: Any,
    neighbours: tuple[Any, Any],
    done: int,
    *,
    before: Any,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Any, int]:
    """The positions after some more steps, and how many are done then.

    Args:
        positions: of the papers, an array of rows.
        neighbours: the numbers of each row's nearest rows, nearest first, and their distances.
        done: steps that lie behind the positions.
        before: where the map before has the papers, NaN where it has not; None: the fit begins anew.
        seconds: after which no further steps are begun.
        clock: tells the seconds.
    """
    from openTSNE import TSNEEmbedding  # noqa: PLC0415 - the extra
    from openTSNE.affinity import PerplexityBasedNN  # noqa: PLC0415 - the extra
    from openTSNE.nearest_neighbors import PrecomputedNeighbors  # noqa: PLC0415 - the extra

    deadline = clock() + seconds
    jobs = (os.cpu_count() or 1) if len(positions) >= _MANY else 1
    untyped: Any = PerplexityBasedNN
    near, distances = neighbours
    affinities = untyped(
        perplexity=max(near.shape[1] / 3, 1),
        knn_index=PrecomputedNeighbors(near.astype(np.int64), distances.astype(np.float64)),
        n_jobs=jobs,
    )
    if not done and before is None:
        positions = positions / positions[:, 0].std() * 1e-4
    layout: Any = TSNEEmbedding(positions.astype(np.float64), affinities, n_jobs=jobs)
    total = steps(begun_before=before is not None)
    while done < total:
        early = before is None and done < EARLY
        layout.optimize(
            n_iter=_AT_ONCE, exaggeration=12 if early else None, momentum=0.5 if early else 0.8, inplace=True
        )
        done += _AT_ONCE
        if before is not None:
            layout[:] = aligning.held(layout, before)
        if clock() >= deadline:
            break
    return np.asarray(layout, np.float32), done

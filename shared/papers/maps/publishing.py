"""A fit becomes a model: turned onto the map before, with its regions, as arrays with their checksums."""

from __future__ import annotations

import json
import logging
from typing import Any

from shared.papers.maps import fitting, sample, staying
from shared.papers.maps.model_files import model_of, write
from shared.papers.maps.models import Extent
from shared.papers.maps.regions.clustering import regions
from shared.papers.maps.versions import extent_of, row_of
from shared.platform.errors import TerminalError
from shared.platform.stores.postgres import database

logger = logging.getLogger(__name__)
_FAR_PERCENT = 5


async def publish(version: int) -> None:
    """Write the model of a version, and note it; done before, it changes nothing.

    Raises:
        TerminalError: a file of the fit is missing.
    """
    row = await row_of(version)
    if row["published"]:
        return
    import numpy as np  # noqa: PLC0415 - loads in the activity that needs it

    from shared.papers.maps.layout import aligning, placing  # noqa: PLC0415 - as above

    papers, vectors, before = await sample.read_sample(version)
    positions = await fitting.fitted(version)
    common = ~np.isnan(before[:, 0])
    shared = bool(common.sum() > 1)
    aligned = aligning.onto(positions[common], before[common]) if shared else aligning.first(positions)
    positions = aligned.apply(positions)
    if shared:
        positions = aligning.held(positions, before).astype(np.float32)
    extent = _extent(positions, extent_of(await row_of(row["starts_at"])) if shared else None)
    unit = placing.unit(vectors)
    _, distances = await sample.neighbours(version, len(papers))
    nearness = (1 - distances[:, : placing.NEAREST] ** 2 / 2).mean(axis=1)
    clusters, middles = await regions(version, papers, positions, await _middles_before(row))
    changes = {
        "extent": list(extent.sides()),
        "scale": aligned.scale,
        "nearness": float(np.percentile(nearness, _FAR_PERCENT)),
        "clusters": json.dumps([region.model_dump() for region in clusters]),
    }
    changes["published"] = await write(
        version,
        {
            "model": row["model"],
            "fitter": row["fitter"],
            "leash": await staying.leash(row, unit, positions, extent) if shared else 1.0,
            **{name: changes[name] for name in ("extent", "scale")},
        },
        {
            "papers": np.frombuffer(b"".join(paper.bytes for paper in papers), "u1").reshape(-1, 16),
            "vectors": unit.astype("<f2"),
            "positions": positions.astype("<f4"),
            "middles": middles.astype("<f4"),
        },
    )
    async with database() as connection:
        await connection.execute(
            f"update papers.maps set {', '.join(f'{name} = %({name})s' for name in changes)}"  # noqa: S608 - ours
            " where version = %(version)s and published is null".encode(),
            {**changes, "version": version},
        )


def _extent(positions: Any, before: Extent | None) -> Extent:
    """Where the positions lie; and the map before, to whose places papers are held."""
    (x_min, y_min), (x_max, y_max) = positions.min(axis=0).tolist(), positions.max(axis=0).tolist()
    if before is None:
        return Extent(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max)
    return Extent(
        x_min=min(x_min, before.x_min),
        y_min=min(y_min, before.y_min),
        x_max=max(x_max, before.x_max),
        y_max=max(y_max, before.y_max),
    )


async def _middles_before(row: dict[str, Any]) -> Any:
    """The middles of the finest clusters of the map before; None: there is none, or its files cannot be read.

    Then the regions get other numbers, but papers stay: their places are in the database.
    """
    if row["starts_at"] is None or not (await row_of(row["starts_at"]))["published"]:
        return None
    try:
        return (await model_of(row["starts_at"])).middles
    except TerminalError as error:
        logger.warning(
            "The map before cannot be read, so the regions of the new one get new numbers: %s",
            error.message,
            extra={"version": row["version"]},
        )
        return None

"""A fit becomes a model: turned onto the map before, with its regions, as arrays with their checksums."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from shared.papers.maps import files, fitting, sample
from shared.papers.maps.regions.clustering import regions
from shared.platform.errors import TerminalError
from shared.platform.stores.postgres import database, rows

FORMAT = 1
_FAR_PERCENT = 5
_ARRAYS = ("papers", "vectors", "positions", "middles")


@dataclass(frozen=True, slots=True)
class Model:
    """What says where a paper lies, as arrays.

    Attributes:
        rows: the row of the sample's papers, by the bytes of their ids.
        vectors: of the sample, of length 1.
        positions: of the sample.
        middles: of the finest clusters.
    """

    rows: dict[bytes, int]
    vectors: Any
    positions: Any
    middles: Any


async def publish(version: int) -> None:
    """Write the model of a version, and note it; done before, it changes nothing.

    Raises:
        TerminalError: a file of the fit is missing.
    """
    row = await _row(version)
    if row["published"]:
        return
    import numpy as np  # noqa: PLC0415 - loads in the activity that needs it

    from shared.papers.maps.layout import aligning, placing  # noqa: PLC0415 - as above

    papers, vectors, known = await sample.read_sample(version)
    positions = await fitting.fitted(version)
    common = ~np.isnan(known[:, 0])
    shared = bool(common.sum() > 1)
    aligned = aligning.onto(positions[common], known[common]) if shared else aligning.first(positions)
    positions = aligned.apply(positions)
    if shared:
        positions = aligning.held(positions, known).astype(np.float32)
    low, high = positions.min(axis=0), positions.max(axis=0)
    _, distances = await sample.neighbours(version, len(papers))
    nearness = (1 - distances[:, : placing.NEAREST] ** 2 / 2).mean(axis=1)
    found, middles = await regions(version, papers, positions, await _middles_before(row))
    changes = {
        "extent": [*low.tolist(), *high.tolist()],
        "scale": aligned.scale,
        "nearness": float(np.percentile(nearness, _FAR_PERCENT)),
        "clusters": json.dumps([one.model_dump() for one in found]),
    }
    changes["published"] = await _write(
        version,
        {"model": row["model"], "fitter": row["fitter"], **{name: changes[name] for name in ("extent", "scale")}},
        {
            "papers": np.frombuffer(b"".join(one.bytes for one in papers), "u1").reshape(-1, 16),
            "vectors": placing.unit(vectors).astype("<f2"),
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


async def model_of(version: int) -> Model:
    """The model of a version that was published; kept in memory for as long as no other one is asked for.

    Raises:
        TerminalError: one of its files is missing or damaged, or of another format.
    """
    name = (await _row(version))["published"]
    if name not in _loaded:
        _loaded.clear()
        _loaded[name] = await _read(version, name)
    return _loaded[name]


_loaded: dict[str, Model] = {}


async def _read(version: int, name: str) -> Model:
    import numpy as np  # noqa: PLC0415 - as above

    # The row says the checksum of the JSON, and the JSON those of the arrays.
    file, digest = name.split(" ")
    described = json.loads(await files.read(version, file, digest))
    if described["format"] != FORMAT:
        raise TerminalError(
            f"The model of the map {version} has the format {described['format']}, and {FORMAT} is read.",
            code="map-format",
            remedy="Start another version of the map: POST /api/papers/map/versions.",
        )
    arrays: dict[str, Any] = {}
    for array in _ARRAYS:
        one = described["arrays"][array]
        data = await files.read(version, one["file"], one["sha256"])
        arrays[array] = np.frombuffer(data, one["type"]).reshape(one["shape"])
    rows_ = {paper.tobytes(): row for row, paper in enumerate(arrays["papers"])}
    return Model(rows_, arrays["vectors"].astype(np.float32), arrays["positions"], arrays["middles"])


async def _write(version: int, about: dict[str, Any], arrays: dict[str, Any]) -> str:
    """Write arrays and the JSON that describes them; the JSON's name and checksum."""
    described: dict[str, Any] = {}
    for name, array in arrays.items():
        data = array.tobytes()
        file = files.named(name, "bin", data)
        await files.write(version, file, data)
        described[name] = {
            "file": file, "type": array.dtype.str, "shape": list(array.shape), "sha256": files.checksum(data)
        }  # fmt: skip
    text = json.dumps({"format": FORMAT, "version": version, **about, "arrays": described}, indent=1).encode()
    file = files.named("model", "json", text)
    await files.write(version, file, text)
    return f"{file} {files.checksum(text)}"


async def _middles_before(row: dict[str, Any]) -> Any:
    """The middles of the finest clusters of the map before; None: there is none."""
    if row["starts_at"] is None or not (await _row(row["starts_at"]))["published"]:
        return None
    return (await model_of(row["starts_at"])).middles


async def _row(version: int) -> dict[str, Any]:
    async with database() as connection:
        [row] = await rows(connection, "select * from papers.maps where version = %s", (version,))
    return row

"""The model of a version in Blob Storage: plain arrays, a JSON that names them, and checksums."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from shared.papers.maps import files
from shared.papers.maps.versions import row_of
from shared.platform.errors import TerminalError

FORMAT = 1
_ARRAYS = ("papers", "vectors", "positions", "middles")


@dataclass(frozen=True, slots=True)
class Model:
    """What says where a paper lies, as arrays.

    Attributes:
        rows: the row of the sample's papers, by the bytes of their ids.
        vectors: of the sample, of length 1.
        positions: of the sample.
        middles: of the finest clusters.
        leash: the part of its way from the map before that a paper goes which is not of the sample.
    """

    rows: dict[bytes, int]
    vectors: Any
    positions: Any
    middles: Any
    leash: float


async def model_of(version: int) -> Model:
    """The model of a version that was published; kept in memory for as long as no other one is asked for.

    Raises:
        TerminalError: one of its files is missing or damaged, or of another format.
    """
    name = (await row_of(version))["published"]
    if name not in _loaded:
        _loaded.clear()
        _loaded[name] = await _read(version, name)
    return _loaded[name]


_loaded: dict[str, Model] = {}


async def _read(version: int, name: str) -> Model:
    import numpy as np  # noqa: PLC0415 - loads in the activity that needs it

    # The row says the checksum of the JSON, and the JSON those of the arrays.
    file, digest = name.split(" ")
    described = json.loads(await files.read(version, file, digest))
    if described["format"] != FORMAT:
        raise TerminalError(
            f"The model of the map {version} has the format {described['format']}, and {FORMAT} is read.",
            code="map-format",
            remedy=files.MAKE_ANOTHER,
        )
    arrays: dict[str, Any] = {}
    for array in _ARRAYS:
        about = described["arrays"][array]
        data = await files.read(version, about["file"], about["sha256"])
        arrays[array] = np.frombuffer(data, about["type"]).reshape(about["shape"])
    rows_ = {paper.tobytes(): row for row, paper in enumerate(arrays["papers"])}
    return Model(
        rows_, arrays["vectors"].astype(np.float32), arrays["positions"], arrays["middles"], described.get("leash", 1.0)
    )


async def write(version: int, about: dict[str, Any], arrays: dict[str, Any]) -> str:
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

"""What the vectors of a version have in common, and is taken off each before it is stored.

Vectors of texts lie close together in one direction. The inner product of a question with all of them loses the same by
taking that off, so that their order stays as it is; but papers then differ more among themselves, and the index of
nearest neighbours, which is built of such differences, misses far fewer. Measured on 50,000 papers with an index as the
migration makes it: of the 10 nearest to a title 0.84 were found before and 0.99 after, looking at 200.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared.papers.embedding import trial
from shared.papers.embedding.embedders import embedder
from shared.platform.errors import NotFound
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from shared.papers.embedding.models import ModelVersion

SAMPLE = 500


async def settle(version: ModelVersion) -> None:
    """See that the version has a centre, that of a sample of the papers; once it has one, it stays.

    Raises:
        TransientError: the model did not answer.
        TerminalError: it refuses us, or every text.
    """
    if await _read(version.model_id) is not None:
        return
    import numpy as np  # noqa: PLC0415 - loads in the activity that needs it

    model = embedder(version)
    arrays = await trial.embed(model, await trial.texts_of_sample(SAMPLE))
    vectors = np.concatenate(arrays) if arrays else np.zeros((1, model.dimensions), np.float32)
    async with database() as connection:
        await connection.execute(
            "update papers.models set centre = %s where model_id = %s and centre is null",
            (vectors.mean(axis=0).tolist(), version.model_id),
        )


async def find_centre(model_id: int) -> Any:
    """The centre, as an array; None: it has none yet."""
    centre = await _read(model_id)
    return None if centre is None else _array(tuple(centre))


async def centre_of(model_id: int) -> Any:
    """The centre, as an array.

    Raises:
        NotFound: the version has none yet.
    """
    centre = await find_centre(model_id)
    if centre is None:
        raise NotFound(
            f"The model {model_id} has no centre yet.",
            code="model-not-prepared",
            remedy="POST /api/papers/enrich computes it before any vector.",
        )
    return centre


async def _read(model_id: int) -> list[float] | None:
    async with database() as connection:
        models = await rows(connection, "select centre from papers.models where model_id = %s", (model_id,))
    return models[0]["centre"] if models else None


@lru_cache(maxsize=4)
def _array(values: tuple[float, ...]) -> Any:
    import numpy as np  # noqa: PLC0415 - loads where papers are embedded or searched

    return np.array(values, np.float32)

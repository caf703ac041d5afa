"""A selection of points as a file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

from shared.papers.browsing.points import papers_of
from shared.papers.maps import versions
from shared.papers.search.exports import MEDIA_TYPES as PLAIN
from shared.papers.search.exports import arrow_type, exported
from shared.papers.search.models import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

SelectionFormat = Literal["parquet", "csv", "ris", "bibtex"]
MEDIA_TYPES = {**PLAIN, "parquet": "application/vnd.apache.parquet"}


async def selection(version: int, points: Sequence[int], file_format: SelectionFormat) -> bytes:
    """The papers of the points in a format; Parquet also has where they lie and what is there.

    Raises:
        NotFound: the version is not kept.
        TransientError: it took longer than PAPERS_QUERY_SECONDS.
    """
    papers: Any = await papers_of(version, points, tuple(COLUMNS))
    if file_format != "parquet":
        return exported(papers, file_format).encode()
    names = {cluster["number"]: cluster["name"] for cluster in (await versions.find(version))["clusters"]}
    return _parquet([{**paper, "cluster": names.get(paper["cluster"])} for paper in papers])


def _parquet(papers: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415 - loads when it is asked for
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    untyped: Any = pa  # it ships without complete types
    types = {"point": untyped.int32(), "x": untyped.float32(), "y": untyped.float32(), "cluster": untyped.string()}
    types |= {name: arrow_type(name) for name in COLUMNS}
    writer: Any = pq
    out = io.BytesIO()
    writer.write_table(untyped.Table.from_pylist(papers, schema=untyped.schema(list(types.items()))), out)
    return out.getvalue()

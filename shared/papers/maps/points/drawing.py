"""All placed papers get their numbers, in a random order that the version says, and become the version's two files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from shared.papers.maps import files
from shared.papers.maps.points import tiles
from shared.papers.maps.points.columns import columns
from shared.papers.maps.versions import extent_of
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_TYPES = {"x": "float4", "y": "float4", "class": "int2", "year": "int2", "cluster": "int2"}


async def draw(version: int) -> int:
    """Number the points, and write what is served of them; how many. Done before, it changes nothing."""
    async with database() as connection:
        # Two deliveries draw one after the other.
        [row] = await rows(connection, "select * from papers.maps where version = %s for no key update", (version,))
        if row["drawn"] is not None or row["state"] != "building":
            return row["papers"]
        await connection.execute(_NUMBER.format(version=version).encode(), {"version": version})
        await connection.execute("select papers.finish_map(%s)", (version,))
        sources = await rows(connection, _SOURCES.format(version=version), {"most": tiles.OTHER})
        points = await read_points(connection, version, [source["source"] for source in sources])
        drawn = await _write(row, points)
        drawn["classes"] = [
            {"class": number, "name": source["source"], "papers": source["papers"]}
            for number, source in enumerate(sources)
        ]
        await connection.execute(
            "update papers.maps set papers = %s, drawn = %s, clusters = %s, moved = %s where version = %s",
            (
                len(points.x),
                json.dumps(drawn),
                json.dumps(_counted(row["clusters"], points)),
                await _moved(connection, row),
                version,
            ),
        )
    return len(points.x)


async def read_points(
    connection: AsyncConnection[Any], version: int, sources: list[str], *, first: int = 0, most: int | None = None
) -> tiles.Points:
    """Points of a version in the order of their numbers, from `first` on."""
    values = {"sources": sources, "first": first, "most": most, "other": tiles.OTHER}
    column = await columns(connection, _POINTS.format(version=version), values, _TYPES)
    return tiles.Points(first, column["x"], column["y"], column["class"], column["year"], column["cluster"])


async def _write(row: dict[str, Any], points: tiles.Points) -> dict[str, Any]:
    """Write the two files; what is said of them and of the years."""
    version = row["version"]
    drawn: dict[str, Any] = {}
    for name, make in (("points", tiles.points_file), ("density", tiles.density_file)):
        data = make(version, extent_of(row), points)
        file = files.named(name, "bin", data)
        await files.write(version, file, data)
        drawn[name] = {
            "bytes": len(data),
            "sha256": files.checksum(data),
            "file": file,
        }
    dated = points.years[points.years > 0]
    drawn["years"] = {
        "first": int(dated.min()) if len(dated) else None,
        "last": int(dated.max()) if len(dated) else None,
        "undated": len(points.years) - len(dated),
    }
    return drawn


async def _moved(connection: AsyncConnection[Any], row: dict[str, Any]) -> float | None:
    """The median way of the papers that are on the version before too, as a share of the longer side; None: of none."""
    before = await rows(
        connection, "select to_regclass(%s) is not null as is_there", (f"papers.map_points_{row['starts_at']}",)
    )
    if not before[0]["is_there"]:
        return None
    query = _MOVED.format(version=row["version"], before=row["starts_at"])
    [way] = await rows(connection, query, {"widest": extent_of(row).widest or 1.0})
    return way["moved"]


def _counted(clusters: list[dict[str, Any]], points: tiles.Points) -> list[dict[str, Any]]:
    """The clusters with the numbers of all their points, where they had those of the sample."""
    import numpy as np  # noqa: PLC0415 - as above

    counts = np.bincount(points.clusters.astype(np.int64), minlength=256).tolist()
    papers = {cluster["cluster"]: counts[cluster["number"]] for cluster in clusters if cluster["number"] is not None}
    # The coarser ones come first, so that backwards each is complete before it is added to the one above it.
    for cluster in reversed(clusters):
        if cluster["parent"] is not None:
            papers[cluster["parent"]] = papers.get(cluster["parent"], 0) + papers.get(cluster["cluster"], 0)
    return [{**cluster, "papers": papers.get(cluster["cluster"], 0)} for cluster in clusters]


_NUMBER = """
insert into papers.map_points_{version:d} (paper_id, point, x, y, cluster)
select m.paper_id, row_number() over (order by hashtextextended(m.paper_id::text, %(version)s), m.paper_id) - 1,
    m.x, m.y, m.cluster
from papers.map_placed_{version:d} m join papers.papers p using (paper_id)
"""

_MOVED = """
select percentile_cont(0.5) within group (order by sqrt((a.x - b.x)::float8 ^ 2 + (a.y - b.y)::float8 ^ 2)) / %(widest)s
    as moved
from papers.map_points_{version:d} a join papers.map_points_{before:d} b using (paper_id)
"""

_SOURCES = """
select p.source, count(*)::int as papers from papers.map_points_{version:d} m join papers.papers p using (paper_id)
group by 1 order by 2 desc, 1 limit %(most)s
"""

_POINTS = """
select m.x, m.y, coalesce(c.class - 1, %(other)s)::int2, coalesce(extract(year from p.primary_date), 0)::int2,
    m.cluster
from papers.map_points_{version:d} m join papers.papers p using (paper_id)
    left join unnest(%(sources)s::text[]) with ordinality as c (source, class) on c.source = p.source
where m.point >= %(first)s order by m.point limit %(most)s
"""

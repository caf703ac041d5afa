"""Versions of the map: one is seen, another may be made beside it, the one before can come back at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.papers.embedding import versions as models
from shared.papers.maps import drift, files
from shared.papers.maps.models import Drift, Extent, Map, MapRef, MapVersion, MaxExtent
from shared.platform.errors import Conflict, NotFound
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_LOCK = 0x6D617073
"""Key of the advisory lock of whoever changes versions."""
MAKE_ONE = "POST /api/papers/map/versions makes one."
"""The remedy where there is no map yet."""


async def accept(started_by: str) -> MapRef:
    """The version that is being made, or another one of the model that is searched.

    Raises:
        Conflict: no paper has a vector yet.
    """
    model = await models.current()
    async with database() as connection:
        await _lock(connection)
        maps = await rows(connection, "select version from papers.maps where state = 'building'")
        if not maps and model is not None and await _any_vector(connection, model.model_id):
            maps = await rows(
                connection,
                "insert into papers.maps (model_id, model, starts_at, state, started_by) values (%s, %s,"
                " (select version from papers.maps where state = 'current'), 'building', %s) returning version",
                (model.model_id, model.label, started_by),
            )
            # A database that was set back in time gives a number out again, of which there are files already.
            await files.delete(maps[0]["version"])
    if not maps:
        raise Conflict(
            "No paper has a vector yet, so that none has a place.",
            code="no-vectors",
            remedy="Take papers in; POST /api/papers/enrich gives them their vectors.",
        )
    return MapRef(version=maps[0]["version"])


async def every() -> list[MapVersion]:
    """All versions, the newest first."""
    async with database() as connection:
        maps = await rows(connection, "select * from papers.maps order by version desc")
    searched = await _searched()
    return [MapVersion.model_validate({**row, "drift": _drift(row, searched)}) for row in maps]


async def current() -> Map:
    """The map that is seen.

    Raises:
        NotFound: there is none yet.
    """
    return _map(await _current_row(), await _searched())


async def find(version: int) -> dict[str, Any]:
    """The row of a version that can be seen: the current one or the one before.

    Raises:
        NotFound: there is none of that number, or it is no longer kept.
    """
    if (row := await _row("version = %s and state in ('current', 'previous')", version)) is None:
        raise unknown_map(version)
    return row


async def drawn_file(version: int, name: str, checksum: str | None) -> dict[str, Any]:
    """What is known of the file `points` or `density` of a version: `file`, `bytes` and `sha256`.

    `checksum`: what the file's has to begin with; None: any.

    Raises:
        NotFound: the version is not kept, or its file's checksum does not begin with this one.
    """
    drawn = (await find(version))["drawn"][name]
    if checksum is not None and not drawn["sha256"].startswith(checksum):
        raise unknown_map(version)  # its number came again after a restore
    return drawn


async def row_of(version: int) -> dict[str, Any]:
    """The row of a version, whatever its state. Raises NotFound: there is none of that number."""
    if (row := await _row("version = %s", version)) is None:
        raise unknown_map(version)
    return row


async def max_extent() -> MaxExtent:
    """The extent of the current map. Raises as `current`."""
    row = await _current_row()
    return MaxExtent(version=row["version"], **extent_of(row).model_dump())


async def building() -> list[MapRef]:
    """The version that is being made, if one is."""
    async with database() as connection:
        maps = await rows(connection, "select version from papers.maps where state = 'building'")
    return [MapRef(version=row["version"]) for row in maps]


async def fail(version: int, error: str) -> None:
    """Give up a version that is being made, and what was made of it. Done before, it changes nothing."""
    async with database() as connection:
        await _lock(connection)
        given_up = await connection.execute(
            "update papers.maps set state = 'failed', error = %s, ended_at = now()"
            " where version = %s and state = 'building'",
            (error[:1000], version),
        )
        if given_up.rowcount:
            await connection.execute("select papers.drop_map(%s)", (version,))
            await _nothing_waits_for_unkept(connection)


async def swap(version: int) -> None:
    """Let the version be seen from now on, and keep the one before. Done before, it changes nothing."""
    async with database() as connection:
        await _lock(connection)
        [row] = await rows(connection, "select state, model_id from papers.maps where version = %s", (version,))
        if row["state"] != "building":
            return
        dropped = await rows(
            connection,
            "update papers.maps set state = 'dropped', ended_at = now() where state = 'previous' returning version",
        )
        for old in dropped:
            await connection.execute("select papers.drop_map(%s)", (old["version"],))
        await _nothing_waits_for_unkept(connection)
        await _see(connection, version, row["model_id"])


async def roll_back() -> None:
    """Let the version before be seen again, at once; the two change places. Papers that came since get theirs soon.

    Raises:
        Conflict: there is none.
    """
    async with database() as connection:
        await _lock(connection)
        maps = await rows(connection, "select version, model_id from papers.maps where state = 'previous'")
        if not maps:
            raise Conflict(
                "There is no version of the map before this one.",
                code="no-previous-map",
                remedy=files.MAKE_ANOTHER,
            )
        await _see(connection, maps[0]["version"], maps[0]["model_id"])


async def unkept() -> list[int]:
    """Versions that are no longer seen, and of which there may be files."""
    async with database() as connection:
        maps = await rows(
            connection, "select version from papers.maps where state in ('failed', 'dropped') and files order by 1"
        )
    return [row["version"] for row in maps]


async def files_deleted(version: int) -> None:
    """Note that no file of the version is left."""
    async with database() as connection:
        await connection.execute("update papers.maps set files = false where version = %s", (version,))


async def _see(connection: AsyncConnection[Any], version: int, model_id: int | None) -> None:
    await connection.execute("update papers.maps set state = 'previous' where state = 'current'")
    await connection.execute(
        "update papers.maps set state = 'current', current_since = now() where version = %s", (version,)
    )
    await queue_unplaced(connection, version, model_id)


async def _nothing_waits_for_unkept(connection: AsyncConnection[Any]) -> None:
    await connection.execute(
        "delete from papers.unplaced u using papers.maps m where m.version = u.version"
        " and m.state in ('failed', 'dropped')"
    )


async def queue_unplaced(connection: AsyncConnection[Any], version: int, model_id: int | None) -> None:
    """All papers with a vector that have no place on the version."""
    tables = await rows(
        connection, "select to_regclass(%s) is not null as is_there", (f"papers.vectors_{model_id or 0}",)
    )
    if model_id is not None and tables[0]["is_there"]:
        query = (
            f"insert into papers.unplaced (version, paper_id) select %s, v.paper_id from papers.vectors_{model_id:d} v"  # noqa: S608 - numbers
            f" where not exists (select from papers.map_points_{version:d} m where m.paper_id = v.paper_id)"
            " on conflict do nothing"
        )
        await connection.execute(query.encode(), (version,))


def unknown_map(version: int) -> NotFound:
    """There is no version of this number, or it is no longer kept."""
    return NotFound(
        f"There is no map {version}, or it is no longer kept.",
        code="unknown-map",
        remedy="GET /api/papers/map names the current one.",
    )


def extent_of(row: dict[str, Any]) -> Extent:
    """The extent of a version that was published."""
    x_min, y_min, x_max, y_max = row["extent"]
    return Extent(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max)


def _map(row: dict[str, Any], searched: str | None) -> Map:
    drawn = row["drawn"]
    # With the checksum in its address, a number that comes again after a restore is not taken for what it was before.
    hrefs = {
        name: {**drawn[name], "href": f"/api/papers/map/{row['version']}/{name}?sha256={drawn[name]['sha256'][:16]}"}
        for name in ("points", "density")
    }
    return Map.model_validate(
        {
            **row,
            **drawn,
            **hrefs,
            "extent": extent_of(row),
            "levels": 1 + max((cluster["level"] for cluster in row["clusters"]), default=0),
            "drift": _drift(row, searched),
        }
    )


def _drift(row: dict[str, Any], searched: str | None) -> Drift:
    figures = drift.Figures(row["papers"], row["additions"], row["far"], row["model"], searched)
    because = drift.reasons(figures) if row["state"] == "current" else []
    return Drift(due=bool(because), because=because)


async def _searched() -> str | None:
    model = await models.current()
    return model.label if model else None


async def _current_row() -> dict[str, Any]:
    if (row := await _row("state = 'current'")) is None:
        raise NotFound("There is no map yet.", code="no-map", remedy=MAKE_ONE)
    return row


async def _row(condition: str, *values: Any) -> dict[str, Any] | None:
    async with database() as connection:
        maps = await rows(connection, f"select * from papers.maps where {condition}", values)  # noqa: S608 - ours
    return maps[0] if maps else None


async def _any_vector(connection: AsyncConnection[Any], model_id: int) -> bool:
    [row] = await rows(connection, f"select exists (select from papers.vectors_{model_id:d}) as is_there")  # noqa: S608 - a number
    return row["is_there"]


async def _lock(connection: AsyncConnection[Any]) -> None:
    await connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))

"""What a run would change, kept with the run: counted before it changes anything, and judged by `verdict`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.diamonds.runs.changes import RunDifference
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from uuid import UUID


_FIELDS = tuple(name for name in RunDifference.model_fields if name != "judged_at")
_SAVE = f"""
insert into diamonds.run_differences (run_id, {", ".join(_FIELDS)})
values (%(run_id)s, {", ".join(f"%({name})s" for name in _FIELDS)})
on conflict (run_id) do update set judged_at = now(), {", ".join(f"{name} = excluded.{name}" for name in _FIELDS)}
"""  # noqa: S608 - names written in this project


async def save(run_id: UUID, difference: RunDifference) -> None:
    """Keep the difference with the run, in place of an earlier one."""
    from psycopg.types.json import Jsonb  # noqa: PLC0415 - loads in the activity that needs it

    values: dict[str, Any] = difference.model_dump(mode="json", include=set(_FIELDS))
    async with database() as connection:
        await connection.execute(_SAVE.encode(), {**values, "worst": Jsonb(values["worst"]), "run_id": run_id})


async def read(run_id: UUID) -> RunDifference | None:
    """The difference of a run; None if it was not judged yet."""
    async with database() as connection:
        found = await rows(
            connection,
            f"select {', '.join(_FIELDS)}, judged_at from diamonds.run_differences where run_id = %s",  # noqa: S608 - as above
            (run_id,),
        )
    return RunDifference.model_validate(found[0]) if found else None


async def withhold(run_id: UUID, code: str, reason: str) -> None:
    """Note on the run why it is held; other runs leave its rows alone until it is released or discarded."""
    async with database() as connection:
        await connection.execute(
            "update diamonds.run_metadata set withheld = true, error_code = %s, error = %s"
            " where run_id = %s and status = 'running'",
            (code, reason, run_id),
        )


async def withheld(feed: str, run_id: UUID | None) -> list[UUID]:
    """The feed's runs whose rows others must leave alone; not the run that asks."""
    async with database() as connection:
        found = await rows(
            connection,
            "select run_id from diamonds.run_metadata where feed = %s and withheld and run_id is distinct from %s",
            (feed, run_id),
        )
    return [row["run_id"] for row in found]


async def was_released(run_id: UUID) -> bool:
    """Whether a person has looked at what the run would change, and let it go on."""
    async with database() as connection:
        found = await rows(connection, "select released from diamonds.run_metadata where run_id = %s", (run_id,))
    return bool(found and found[0]["released"])

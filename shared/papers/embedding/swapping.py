"""Which version is searched: one that is complete takes the place of the one before, which can come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.papers.embedding.embedders import configured_model
from shared.papers.embedding.models import Swap
from shared.papers.embedding.versions import LOCK, SEE_MODELS, queue
from shared.papers.settings import settings
from shared.platform.errors import Conflict
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection


async def swap(model_id: int, overlap: float | None) -> Swap:
    """Let the version be searched from now on; the one before can come back. Done before, it changes nothing.

    It is not swapped while papers wait that the model was not asked for yet, and is held when it lacks more vectors of
    the version that is searched than PAPERS_MISSING_VECTORS_LIMIT allows.
    """
    async with database() as connection:
        await connection.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        models = await rows(connection, _STANDING, (model_id,))
        if not models or models[0]["state"] != "building":
            return Swap(swapped=bool(models) and models[0]["state"] == "current")
        if models[0]["open"]:
            return Swap(swapped=False)
        because = await _lacks(connection, model_id)
        await connection.execute(
            "update papers.models set overlap = %s, held_because = %s where model_id = %s", (overlap, because, model_id)
        )
        if because is None:
            await _put_in_place(connection, model_id)
    return Swap(swapped=because is None, held_because=because)


async def release() -> None:
    """Search the version that is held, as it is.

    Raises:
        Conflict: none is held, or it has no vector at all.
    """
    async with database() as connection:
        await connection.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        models = await rows(
            connection,
            "select model_id from papers.models where state = 'building' and held_because is not null",
        )
        if not models:
            raise Conflict("No model is held back.", code="no-held-model", remedy=SEE_MODELS)
        model_id = models[0]["model_id"]
        [row] = await rows(
            connection,
            f"select exists (select from papers.vectors_{model_id:d}) as any_vector",  # noqa: S608 - a number
        )
        if not row["any_vector"]:
            raise Conflict(
                "The model that is held back has no vector, so that nothing could be found by it.",
                code="model-without-vectors",
                remedy="Mend its settings, or name another model with PAPERS_EMBEDDER.",
            )
        await _put_in_place(connection, model_id)


async def roll_back() -> None:
    """Search the version before again, at once. Papers that came since get their vector of it by the next minutes.

    Of what is left the settings may still name the version: it is not built again by itself, and comes back by another
    call of this.

    Raises:
        Conflict: there is none.
    """
    configured = configured_model()
    async with database() as connection:
        await connection.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        models = await rows(connection, _BEFORE)
        if not models:
            raise Conflict(
                "There is no version before this one.",
                code="no-previous-model",
                remedy="Name another model with PAPERS_EMBEDDER; it is built beside this one.",
            )
        before = models[0]
        await connection.execute(_LEAVE, {"name": configured.name, "version": configured.version})
        await connection.execute(
            "update papers.models set state = 'current', current_since = now(), discarded = false where model_id = %s",
            (before["model_id"],),
        )
        await queue(connection, before["model_id"], since=before["left_at"])


async def _lacks(connection: AsyncConnection[Any], model_id: int) -> str | None:
    """Why the version may not be searched yet: what it lacks of the one that is; None: it may."""
    searched = await rows(connection, "select model_id from papers.models where state = 'current'")
    if not searched:
        return None
    [row] = await rows(
        connection,
        f"select count(*)::bigint as had, count(*) filter (where b.paper_id is null)::bigint as lacking"  # noqa: S608 - numbers
        f" from papers.vectors_{searched[0]['model_id']:d} a"
        f" left join papers.vectors_{model_id:d} b using (paper_id)",
    )
    had, lacking, limit = row["had"], row["lacking"], settings().papers_missing_vectors_limit
    if lacking <= limit * had:
        return None
    because = (
        f"It lacks the vectors of {lacking:,} of the {had:,} papers that the version searched has, more than"
        f" PAPERS_MISSING_VECTORS_LIMIT allows ({limit:g})."
    )
    usual = await rows(connection, _USUAL, (model_id,))
    return because + "".join(
        f" {refused['texts']:,} were refused with: {refused['refusal'][:300]}" for refused in usual
    )


async def _put_in_place(connection: AsyncConnection[Any], model_id: int) -> None:
    for row in await rows(connection, "select model_id from papers.models where state in ('previous', 'rejected')"):
        await connection.execute("select papers.drop_vectors(%s::smallint)", (row["model_id"],))
        await connection.execute("delete from papers.models where model_id = %s", (row["model_id"],))
    await connection.execute("update papers.models set state = 'previous', left_at = now() where state = 'current'")
    await connection.execute(
        "update papers.models set state = 'current', current_since = now(), held_because = null where model_id = %s",
        (model_id,),
    )


# What was refused is asked again, for as long as an hour: it counts as lacking meanwhile.
_STANDING = """
select state, exists (
    select from papers.unembedded u where u.model_id = m.model_id and error is null and refusals = 0
) as open
from papers.models m where model_id = %s
"""

_USUAL = """
select refusal, count(*)::bigint as texts from papers.unembedded
where model_id = %s and refusal is not null group by refusal order by 2 desc limit 1
"""

_BEFORE = """
select model_id, left_at from papers.models where state = 'previous' or discarded order by left_at desc limit 1
"""

_LEAVE = """
update papers.models set left_at = now(), discarded = (name, version) = (%(name)s, %(version)s),
    state = case when (name, version) = (%(name)s, %(version)s) then 'rejected' else 'previous' end
where state = 'current'
"""

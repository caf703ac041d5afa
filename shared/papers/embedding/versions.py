"""Versions of models: one is searched, another may be built beside it, the one before can come back at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.papers.embedding.embedders import configured_model
from shared.papers.embedding.index import described
from shared.papers.embedding.models import ModelVersion
from shared.papers.embedding.pgvector import check_pgvector
from shared.platform.errors import NotFound
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.papers.embedding.embedders import ConfiguredModel

LOCK = 0x70617065
"""Key of the advisory lock of whoever changes versions."""
SEE_MODELS = "See GET /api/papers/models."
IN_USE = ("building", "current")
"""States of versions whose vectors are completed."""


_LEFT = "The settings name it, and somebody went back from it: going back once more searches it again."


async def every() -> list[ModelVersion]:
    """All versions with how far each is, the newest first."""
    configured = configured_model()
    async with database() as connection:
        models = await rows(connection, _EVERY)
    return [
        ModelVersion.model_validate(
            row
            | {"index": described(row["vectors"], row["dimensions"], row["size"], row["percent"])}
            | (
                {"held_because": _LEFT}
                if row["discarded"] and _identity(row) == (configured.name, configured.version)
                else {}
            )
        )
        for row in models
    ]


async def anything_to_do() -> bool:
    """Whether papers wait for a vector, or the settings name a model that has no table. Costs two small reads."""
    configured = configured_model()
    async with database() as connection:
        [row] = await rows(connection, _TO_DO, {"name": configured.name, "version": configured.version})
    return row["to_do"]


async def nobody_embeds() -> bool:
    """Whether there is something to do and no worker is at it: one that is goes on until nothing is left."""
    if not await anything_to_do():
        return False
    async with database() as connection:
        [row] = await rows(
            connection,
            "select exists (select from papers.unembedded u where claim is not null and claimed_until > now()"
            " and not exists (select from papers.embedding_batches b where b.claim = u.claim)) as busy",
        )
    return not row["busy"]


async def current() -> ModelVersion | None:
    """The version that is searched; None: there is none yet."""
    return next((version for version in await every() if version.state == "current"), None)


async def searched() -> ModelVersion | None:
    """The version that is searched, without its figures: counting what waits takes long while millions do."""
    async with database() as connection:
        models = await rows(connection, f"{_ONE} where state = 'current'")
    return ModelVersion.model_validate(models[0]) if models else None


async def find(model_id: int) -> ModelVersion:
    """One version, without its figures.

    Raises:
        NotFound: it is not there, or not any more.
    """
    async with database() as connection:
        models = await rows(connection, f"{_ONE} where model_id = %s", (model_id,))
    if not models:
        raise NotFound(f"There is no model {model_id}.", code="unknown-model", remedy=SEE_MODELS)
    return ModelVersion.model_validate(models[0])


async def ensure() -> list[ModelVersion]:
    """See that there is a table for what the settings want; the versions whose vectors are to be completed.

    The first version is searched at once. A later one is built beside it. One that a person has taken back stays so.
    """
    configured = configured_model()
    identity = {"name": configured.name, "version": configured.version}
    async with database() as connection:
        await check_pgvector(connection)
        await connection.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        models = await rows(connection, _CONFIGURED, identity)
        if not models:
            await _add(connection, configured)
        elif models[0]["left_behind"]:
            await _build_again(connection, models[0]["model_id"])
        await connection.execute(
            "update papers.models set batch_model = %(batch_model)s, dollars_per_million = %(price)s"
            " where name = %(name)s and version = %(version)s",
            identity | {"batch_model": configured.batch_model, "price": configured.dollars_per_million},
        )
        # Of several that are being built only the configured one goes on, until another one is configured.
        await connection.execute(
            "update papers.models set state = 'rejected', left_at = now(), held_because = null"
            " where state = 'building' and (name, version) <> (%(name)s, %(version)s)",
            identity,
        )
    return [version for version in await every() if version.state in IN_USE]


def _identity(row: dict[str, Any]) -> tuple[str, str]:
    return row["name"], row["version"]


async def _add(connection: AsyncConnection[Any], configured: ConfiguredModel) -> None:
    [row] = await rows(
        connection,
        "insert into papers.models (name, version, dimensions, state, current_since)"
        " select %s, %s, %s, case when searched then 'building' else 'current' end,"
        " case when not searched then now() end"
        " from (select exists (select from papers.models where state = 'current') as searched) s returning model_id",
        (configured.name, configured.version, configured.dimensions),
    )
    await connection.execute("select papers.make_vectors(%s::smallint)", (row["model_id"],))
    await queue(connection, row["model_id"], since=None)


async def _build_again(connection: AsyncConnection[Any], model_id: int) -> None:
    [row] = await rows(
        connection,
        "with before as (select left_at from papers.models where model_id = %(id)s)"
        " update papers.models set state = 'building' from before where model_id = %(id)s returning before.left_at",
        {"id": model_id},
    )
    await queue(connection, model_id, since=row["left_at"])


async def queue(connection: AsyncConnection[Any], model_id: int, *, since: Any) -> None:
    """Have all papers embedded by this version, or those that came or changed since."""
    await connection.execute(
        "insert into papers.unembedded (model_id, paper_id) select %(id)s, paper_id from papers.papers"
        " where %(since)s::timestamptz is null or updated_at >= %(since)s on conflict do nothing",
        {"id": model_id, "since": since},
    )


# A version with a problem is asked again when its pause is over, a text that was refused likewise.
_TO_DO = """
select exists (
    select from papers.models m where m.state in ('building', 'current')
        and (m.asked_again_at is null or m.asked_again_at < now())
        and (m.state = 'building' and (m.held_because is null or (m.name, m.version) <> (%(name)s, %(version)s))
            or exists (
                select from papers.unembedded u where u.model_id = m.model_id and u.error is null
                    and (u.claim is not null or u.claimed_until is null or u.claimed_until < now())))
) or (
    exists (select from papers.papers) and not exists (
        select from papers.models where name = %(name)s and version = %(version)s
            and (state in ('building', 'current') or discarded))
) as to_do
"""

_CONFIGURED = """
select model_id, state in ('previous', 'rejected') and not discarded as left_behind
from papers.models where name = %(name)s and version = %(version)s
"""

_ONE = """
select model_id, name, version, dimensions, state, current_since, dollars_per_million, batch_model,
    to_regclass('papers.vectors_' || model_id || '_hnsw') is not null as indexed
from papers.models
"""

_EVERY = """
select m.model_id, m.name, m.version, m.dimensions, m.state, m.overlap, m.current_since, m.dollars_per_million,
    m.batch_model, u.waiting, u.refused, u.failed, m.held_because, m.discarded,
    case when m.state in ('building', 'current') and (u.waiting > 0 or m.centre is null) then m.problem end as problem,
    s.texts, s.tokens, s.cut, s.dollars, i.size is not null as indexed, i.size, b.percent,
    coalesce(nullif(t.reltuples, -1)::bigint, s.texts) as vectors
from papers.models m
cross join lateral (
    select pg_relation_size(to_regclass('papers.vectors_' || m.model_id || '_hnsw')) as size
) i
left join pg_class t on t.oid = to_regclass('papers.vectors_' || m.model_id)
left join lateral (
    select coalesce(100 * tuples_done / nullif(tuples_total, 0), 0)::int as percent
    from pg_stat_progress_create_index where relid = t.oid limit 1
) b on true
cross join lateral (
    select count(*) filter (where error is null) as waiting,
        count(*) filter (where error is null and refusals > 0) as refused,
        count(*) filter (where error is not null) as failed
    from papers.unembedded where model_id = m.model_id
) u
cross join lateral (
    select coalesce(sum(texts), 0)::bigint as texts, coalesce(sum(tokens), 0)::bigint as tokens,
        coalesce(sum(cut), 0)::bigint as cut, coalesce(sum(dollars), 0)::float8 as dollars
    from papers.embedding_usage where model_id = m.model_id
) s
order by m.model_id desc
"""

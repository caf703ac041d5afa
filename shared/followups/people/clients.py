"""Clients: each belongs to one agent, and no other sees it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from shared.followups.people import subscriptions, tasks
from shared.followups.people.models import Client, ClientChange, NewClient, Stage
from shared.followups.people.refusals import unknown_client
from shared.followups.scheduling.cadence import CUSTOM
from shared.platform.errors import Conflict, InvalidInput
from shared.platform.stores.postgres import database, rows, rows_of_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import AsyncConnection

    from shared.followups.keyset import Part

_COLUMNS = ", ".join(Client.model_fields)
_MINE = "agent_id = %(agent)s and id = %(id)s and not is_deleted"


async def create(agent_id: int, new: NewClient) -> Client:
    """Enter a client, and plan the cadence if wanted, all or nothing.

    Raises:
        Conflict: the agent has a client with this address.
    """
    async with database() as connection:
        made = await insert(connection, agent_id, [new])
    if not made:
        raise _address_taken()
    return made[0]


async def insert(connection: AsyncConnection[Any], agent_id: int, new: Sequence[NewClient]) -> list[Client]:
    """As `create`, in the caller's transaction; those whose address is taken are left out."""
    entries = [{**_columns(client.model_dump(exclude={"create_tasks"})), "agent_id": agent_id} for client in new]
    names = ", ".join(entries[0]) if entries else ""
    values = ", ".join(f"%({column})s" for column in entries[0]) if entries else ""
    made = await rows_of_each(
        connection,
        f"insert into followups.clients ({names}) values ({values})"  # noqa: S608 - the names are the model's
        f" on conflict (agent_id, email) where not is_deleted do nothing returning {_COLUMNS}",
        entries,
    )
    entered = [Client.model_validate(row) for row in made]
    planned = {client.email for client in new if client.create_tasks}
    await tasks.plan_cadence(connection, agent_id, [client for client in entered if client.email in planned])
    return entered


async def read(agent_id: int, client_id: int) -> Client:
    """The agent's client.

    Raises:
        NotFound: there is none, or it is another agent's.
    """
    async with database() as connection:
        return _client_of(
            await rows(
                connection,
                f"select {_COLUMNS} from followups.clients where {_MINE}",  # noqa: S608 - as above
                {"agent": agent_id, "id": client_id},
            )
        )


async def listed(agent_id: int, part: Part, *, stage: Stage | None = None, search: str = "") -> list[Client]:
    """That part of the agent's clients, in the order of their numbers."""
    async with database() as connection:
        clients = await rows(
            connection,
            f"""
            select {_COLUMNS} from followups.clients
            where agent_id = %(agent)s and id > coalesce(%(behind)s::bigint, 0) and not is_deleted
                and (%(stage)s::text is null or stage = %(stage)s)
                and (%(search)s = '' or strpos(lower(concat_ws(' ', name, email, property_address)), %(search)s) > 0)
            order by id limit %(limit)s offset %(skip)s
            """,  # noqa: S608 - as above
            {"agent": agent_id, "stage": stage, "search": search.lower(), **asdict(part)},
        )
    return [Client.model_validate(row) for row in clients]


async def change(agent_id: int, client_id: int, changed: ClientChange) -> Client:
    """Change the fields that were given. A client whose stage ends the cadence keeps its tasks; none of them is sent.

    Raises:
        NotFound: there is no such client.
        Conflict: another client has the address.
            Or the client complained and is to be written to again.
        InvalidInput: a field that every client has was given as null.
    """
    from psycopg.errors import UniqueViolation  # noqa: PLC0415 - loads in the activity that needs it

    columns = _columns(changed.model_dump(exclude_unset=True, exclude={"email_unsubscribed"}))
    if "email" in columns and columns["email"] is None:
        raise InvalidInput("A client has an address; leave the field out to keep it.", field="email")
    sets = ", ".join([*(f"{name} = %({name})s" for name in columns), "updated_at = now()"])
    try:
        async with database() as connection:
            client = _client_of(
                await rows(
                    connection,
                    f"update followups.clients set {sets} where {_MINE} returning {_COLUMNS}",  # noqa: S608 - as above
                    {**columns, "agent": agent_id, "id": client_id},
                )
            )
            if changed.email_unsubscribed in (None, client.email_unsubscribed):
                return client
            await subscriptions.decide(connection, client, unsubscribed=changed.email_unsubscribed)
            return client.model_copy(update={"email_unsubscribed": changed.email_unsubscribed})
    except UniqueViolation:
        raise _address_taken() from None


async def delete(agent_id: int, client_ids: Sequence[int]) -> list[int]:
    """Delete these of the agent's clients and cancel what is planned for them; which there were."""
    async with database() as connection:
        clients = await rows(
            connection,
            "update followups.clients set is_deleted = true, updated_at = now()"
            " where agent_id = %s and id = any(%s) and not is_deleted returning id",
            (agent_id, list(client_ids)),
        )
        deleted = sorted(row["id"] for row in clients)
        await tasks.end_pending(connection, deleted, "cancelled", "client-deleted")
    return deleted


async def pause(agent_id: int, client_id: int, *, paused: bool) -> Client:
    """Hold the client's mails back, or let them go on; may be repeated.

    Raises:
        NotFound: there is no such client.
    """
    moment = "coalesce(paused_at, now())" if paused else "null"
    async with database() as connection:
        return _client_of(
            await rows(
                connection,
                f"update followups.clients set paused_at = {moment}, updated_at = now()"  # noqa: S608 - as above
                f" where {_MINE} returning {_COLUMNS}",
                {"agent": agent_id, "id": client_id},
            )
        )


async def merge(agent_id: int, kept_id: int, other_id: int) -> Client:
    """Make two entries of one person one: what the kept one lacks is taken from the other, which is deleted.

    Steps of the cadence that both have stay with the kept one, and those of the other are cancelled; one that the
    other was sent is not sent again. Who has unsubscribed, has answered or is paused on either, is or has on the one
    that is kept.

    Raises:
        NotFound: one of them is not the agent's.
        InvalidInput: they are the same client.
    """
    if kept_id == other_id:
        raise InvalidInput("A client cannot be merged with itself.", field="other_id")
    async with database() as connection:
        locked = await rows(
            connection,
            "select id from followups.clients where agent_id = %s and id = any(%s) and not is_deleted"
            " order by id for no key update",
            (agent_id, [kept_id, other_id]),
        )
        if len(locked) != 2:  # noqa: PLR2004 - the two
            raise unknown_client()
        await connection.execute(
            "update followups.tasks t set client_id = %(kept)s, updated_at = now() where t.client_id = %(other)s"
            " and (t.followup_type = %(custom)s or not exists (select from followups.tasks k where"
            " k.client_id = %(kept)s and k.followup_type = t.followup_type))"
            " and t.status = 'pending'",
            {"kept": kept_id, "other": other_id, "custom": CUSTOM},
        )
        await tasks.end_pending(connection, [other_id], "cancelled", "client-merged")
        await tasks.end_repeated(connection, kept_id, other_id)
        await tasks.end_answered(connection, kept_id, other_id)
        await connection.execute(
            "update followups.clients set is_deleted = true, merged_into = %s, updated_at = now() where id = %s",
            (kept_id, other_id),
        )
        merged = await rows(
            connection,
            f"""
            update followups.clients k set
                name = coalesce(nullif(k.name, ''), o.name), phone = coalesce(k.phone, o.phone),
                property_address = coalesce(k.property_address, o.property_address),
                notes = nullif(concat_ws(E'\n\n', k.notes, o.notes), ''),
                custom_fields = o.custom_fields || k.custom_fields,
                last_contacted = greatest(k.last_contacted, o.last_contacted, (select max(coalesce(repeated_at,
                    sending_at)) from followups.emails where client_id = o.id and state in ('sending', 'unknown'))),
                email_unsubscribed = k.email_unsubscribed or o.email_unsubscribed,
                paused_at = coalesce(k.paused_at, o.paused_at), updated_at = now()
            from followups.clients o where k.id = %s and o.id = %s returning {_prefixed("k")}
            """,  # noqa: S608 - as above
            (kept_id, other_id),
        )
    return _client_of(merged)


def _prefixed(alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in Client.model_fields)


def _columns(fields: dict[str, Any]) -> dict[str, Any]:
    if "custom_fields" in fields:
        fields["custom_fields"] = json.dumps(fields["custom_fields"])
    if fields.get("working_days") is not None:
        fields["working_days"] = sorted(set(fields["working_days"]))
    return fields


def _client_of(clients: list[dict[str, Any]]) -> Client:
    if not clients:
        raise unknown_client()
    return Client.model_validate(clients[0])


def _address_taken() -> Conflict:
    return Conflict(
        "There is a client with this address.", code="address-taken", remedy="Change that client, or merge the two."
    )

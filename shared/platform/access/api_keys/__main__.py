"""Create, list and revoke the grants of clients.

python -m shared.platform.access.api_keys create --client acme --permission diamonds:read
"""

from __future__ import annotations

import argparse
import asyncio
import re
import secrets
import sys
from hashlib import sha256
from typing import Any

from shared.platform.access.api_keys.grants import FRESH_SECONDS
from shared.platform.errors import ManifoldError
from shared.platform.stores.postgres import close_pools, database

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
PERMISSION = re.compile(r"[a-z][a-z0-9-]*:[a-z][a-z0-9-]*")
OWN_NAMES = ("admin", "anonymous")
"""How callers without a grant are called: nobody else may act under these."""


def _client(text: str) -> str:
    if not NAME.fullmatch(text) or text.lower() in OWN_NAMES:
        raise argparse.ArgumentTypeError(f"{text!r}: up to 100 letters, digits, '.', '_' and '-', none of {OWN_NAMES}")
    return text


def _permission(text: str) -> str:
    if not PERMISSION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r}: a permission is written workload:verb, as diamonds:read")
    return text


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 3650:  # noqa: PLR2004 - ten years
        raise argparse.ArgumentTypeError(f"{text!r}: a number of days from 1 to 3650 is needed")
    return int(text)


def _organization(text: str) -> str:
    if not 1 <= len(text) <= 100:  # noqa: PLR2004 - as the column has it
        raise argparse.ArgumentTypeError("an organization's id has 1 to 100 characters")
    return text


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m shared.platform.access.api_keys", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="grant permissions to a client; prints its key, once")
    create.add_argument("--client", type=_client, required=True, help="the client's name in logs, holds and quotas")
    create.add_argument(
        "--permission", type=_permission, action="append", required=True, metavar="WORKLOAD:VERB", help="repeatable"
    )
    create.add_argument("--organization", type=_organization, help="the only organization it may act for")
    create.add_argument("--expires-days", type=_days, help="days until it expires (default: never)")
    create.add_argument(
        "--hmac", action="store_true", help="the client signs its requests: prints a secret to put into HMAC_SECRETS"
    )
    commands.add_parser("list", help="all grants; keys are not shown, nobody has them")
    revoke = commands.add_parser("revoke", help=f"end grants; instances notice within {FRESH_SECONDS:.0f} s")
    chosen = revoke.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--id", type=int, help="one grant, as listed")
    chosen.add_argument("--client", type=_client, help="all grants of a client")
    return parser.parse_args(arguments)


async def _create(options: argparse.Namespace) -> int:
    secret = f"mf_{secrets.token_urlsafe(32)}"
    async with database() as db:
        created = await db.execute(
            "insert into platform.api_keys (client_name, key_hash, organization_id, permissions, expires_at)"
            " values (%s, %s, %s, %s, now() + %s * interval '1 day') on conflict do nothing returning id",
            (
                options.client,
                None if options.hmac else sha256(secret.encode()).digest(),
                options.organization,
                sorted(set(options.permission)),
                options.expires_days,
            ),
        )
        row = await created.fetchone()
    if row is None:
        sys.stderr.write(f"api_keys: {options.client} signs already. Revoke that grant first.\n")
        return 1
    sys.stdout.write(f"{secret}\n")
    message = f"Grant {row[0]} of {options.client}. The line above is shown this once: hand it over by a safe way."
    if options.hmac:
        message += (
            f'\nAdd it to the setting HMAC_SECRETS as {{"{options.client}": "..."}}; it works when the app has it.'
        )
    sys.stderr.write(f"{message}\n")
    return 0


async def _list() -> int:
    async with database() as db:
        found = await db.execute(
            "select id, client_name, case when key_hash is null then 'hmac' else 'key' end, permissions,"
            " organization_id, active, expires_at <= now(), expires_at, last_used_at"
            " from platform.api_keys order by client_name, id"
        )
        for row in await found.fetchall():
            sys.stdout.write(f"{_line(*row)}\n")
    return 0


def _line(id_: int, client: str, kind: str, permissions: list[str], organization: str | None, *rest: Any) -> str:
    active, expired, expires_at, used_at = rest
    state = "revoked" if not active else "expired" if expired else "active"
    fields = [str(id_), client, kind, state, ",".join(permissions), organization or "-"]
    fields += [f"{when:%Y-%m-%dT%H:%MZ}" if when else "never" for when in (expires_at, used_at)]
    return "\t".join(fields)


async def _revoke(options: argparse.Namespace) -> int:
    async with database() as db:
        revoked = await db.execute(
            "update platform.api_keys set active = false where active and (id = %s or client_name = %s)",
            (options.id, options.client),
        )
    if not revoked.rowcount:
        sys.stderr.write("api_keys: there is no such active grant. See them with: list\n")
        return 1
    sys.stdout.write(f"revoked {revoked.rowcount}\n")
    return 0


async def _main(options: argparse.Namespace) -> int:
    try:
        if options.command == "create":
            return await _create(options)
        return await (_list() if options.command == "list" else _revoke(options))
    except ManifoldError as error:
        sys.stderr.write(f"api_keys: {error}\n")
        return 1
    finally:
        await close_pools()


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(_options(sys.argv[1:]))))

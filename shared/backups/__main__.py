"""Restore a backup into an empty database: `make restore`, or `python -m shared.backups`.

The database is the one that POSTGRES_DSN names, the backups are those of the storage account that the settings name. A
restore that was broken off goes on when it is started again.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys

from shared.backups.blobs.carrying import rehydrate
from shared.backups.blobs.manifests import read_manifest
from shared.backups.restoring.restoration import restore, say
from shared.platform.credentials import close_credentials
from shared.platform.errors import ManifoldError
from shared.platform.stores.blobs import close_blobs
from shared.platform.stores.postgres import close_pools


async def _main(backup: str, app_role: str | None, *, bring_online: bool) -> int:
    from psycopg import Error  # noqa: PLC0415 - the driver loads in the command

    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # one line says that the server is not there, not twenty
    try:
        manifest = await read_manifest(backup)
        if bring_online:
            if waiting := await rehydrate(manifest):
                say(f"{waiting} files of the backup {manifest.id} are being brought back from the archive.")
                say("It takes up to 15 hours. Then restore it.")
                return 0
            say(f"All files of the backup {manifest.id} can be read.")
        return 0 if await restore(manifest, app_role=app_role) else 1
    except ManifoldError as error:
        sys.stderr.write(f"restore: {error}\n")
        return 1
    except Error as error:
        cause = str(error).strip().splitlines()[0]
        sys.stderr.write(f"restore: PostgreSQL: {cause}. What was done is kept: mend this and start it again.\n")
        return 1
    finally:
        await close_pools()
        await close_blobs()
        await close_credentials()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m shared.backups", description=__doc__)
    parser.add_argument("backup", nargs="?", default="latest", help="id of the backup; the newest if none is named")
    parser.add_argument(
        "--app-role",
        default=os.environ.get("APP_IDENTITY_NAME") or None,
        help="role that the app signs in as, where it does not own the tables, as in Azure; APP_IDENTITY_NAME if unset",
    )
    parser.add_argument(
        "--rehydrate", action="store_true", help="first bring back what is in the archive, and end if that takes hours"
    )
    given = parser.parse_args()
    sys.exit(asyncio.run(_main(given.backup, given.app_role, bring_online=given.rehydrate)))

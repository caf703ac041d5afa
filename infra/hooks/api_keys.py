"""Make, list and revoke the grants of clients in Azure's database.

    sh infra/hooks/run.sh infra.hooks.api_keys create --client acme --permission diamonds:read

Whoever runs it is the server's administrator, as for a migration; the arguments are those of
shared.platform.access.api_keys.
"""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import subprocess
import sys

from infra.hooks.prepare_database import only_database, opened


def main() -> None:
    command = ["azd", "env", "get-values", "--output", "json"]
    values = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - fixed words
    if sys.platform == "win32":
        # psycopg cannot use the event loop that Windows has by default.
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    with opened({**os.environ, **json.loads(values)}) as (target, password):
        only_database(target.dsn(target.database, password))
        runpy.run_module("shared.platform.access.api_keys", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

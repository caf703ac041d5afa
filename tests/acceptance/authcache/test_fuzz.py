"""Every route of the accounts, asked by schemathesis in every way it can think of, on the real host."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.acceptance.authcache.conftest import KEY
from tests.acceptance.diamonds.test_fuzz import AUTHCACHE, FLAGS

ENDING = r"/(logout|logout-everywhere|deletion|password|disable)$"
"""What would end the session with which the others are asked is asked last, by itself."""


async def fuzz(app: Any, token: str, folder: Path, *selection: str) -> None:
    [host] = app.hosts
    command = [str(Path(sys.executable).with_name("st")), "run", f"{host.host.url}/openapi.json", *FLAGS]
    fuzzing = await asyncio.create_subprocess_exec(
        *command, "--header", f"X-Admin-Key: {KEY}", "--header", f"Authorization: Bearer {token}",
        # A fold is heavy on a busy machine.
        "--request-timeout", "60",
        # One that was written: a request that names any other is refused, as the document cannot say.
        "--header", "X-Lsn: 1", "--include-path-regex", AUTHCACHE, *selection, "--seed", "20261130", "--no-color",
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await asyncio.wait_for(fuzzing.communicate(), timeout=280)
    assert fuzzing.returncode == 0, said.decode()[-6000:]


async def test_every_route_answers_as_its_document_says(running: Any, tmp_path: Path) -> None:
    async with running() as app:
        [host] = app.hosts
        ann = app.verified(host, "ann@example.com")
        host.ask("POST", "/users/me/shares", {"shared_email": "bob@example.com"}, user=ann, status=201)
        host.ask("POST", "/properties", {"display_name": "House"}, user=ann, status=201)
        await fuzz(app, ann.token, tmp_path, "--exclude-path-regex", ENDING)
        assert host.ask("GET", "/users/me", user=ann)["email"] == "ann@example.com"
        await fuzz(app, ann.token, tmp_path, "--exclude-path-regex", rf"^(?!.*{ENDING})")

"""Every route of the follow-ups, asked by schemathesis in every way it can think of, on the real host."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.acceptance.diamonds.test_fuzz import FLAGS, FOLLOWUPS
from tests.acceptance.followups.conftest import KEY

AGENT = {"email": "alice@example.com", "password": "a long password", "name": "Alice"}


async def test_every_route_answers_as_its_document_says(running: Any, tmp_path: Path) -> None:
    async with running(RESEND_WEBHOOK_SECRET="whsec_c2VjcmV0") as app:
        app.minute()
        app.until(lambda: app.host.request("GET", "/health/scheduler").status == 200)
        token = app.ask("POST", "/api/agents/register", AGENT, admin=True)["access_token"]
        app.token = token
        app.ask("POST", "/api/clients", {"email": "ann@example.com"})
        command = [str(Path(sys.executable).with_name("st")), "run", f"{app.host.url}/openapi.json", *FLAGS]
        fuzzing = await asyncio.create_subprocess_exec(
            *command, "--header", f"X-Admin-Key: {KEY}", "--header", f"Authorization: Bearer {token}",
            "--include-path-regex", FOLLOWUPS, "--seed", "20261130", "--no-color",
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(fuzzing.communicate(), timeout=280)
        assert fuzzing.returncode == 0, said.decode()[-6000:]

"""Every route of the OpenAPI document, asked by schemathesis in every way it can think of, on the real host."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

# What fits the document may still be refused for what is stored: preconditions, fields that exclude each other.
# The admin key opens every route, whatever else is sent: that wrong keys are refused has tests of its own.
# A wrong method is 404 at the Functions host, not 405. NUL bytes are refused everywhere, as the document cannot say.
EXCLUDED = "unsupported_method,ignored_auth,positive_data_acceptance"
FOLLOWUPS = (
    r"^/(api/(agents|clients|tasks|emails|replies|dashboard|followups|cadence)|unsubscribe|webhooks|health/scheduler)"
)
AUTHCACHE = r"^/api/v1/"
PAPERS = r"^/api/(papers|sources|stats|health/enrichment|max-extent)"
FLAGS = [
    "--phases",
    "coverage,fuzzing",
    "--exclude-checks",
    EXCLUDED,
    "--generation-allow-x00",
    "false",
    "--max-examples",
    "6",
]


async def test_every_route_answers_as_its_document_says(running: Any, tmp_path: Path) -> None:
    async with running("--diamonds", "300", CLIENT_REQUESTS_PER_MINUTE="100000") as app:
        app.wait(app.start("full"))
        command = [str(Path(sys.executable).with_name("st")), "run", f"{app.host.url}/openapi.json", *FLAGS]
        fuzzing = await asyncio.create_subprocess_exec(
            *command, "--header", "X-Admin-Key: acceptance", "--seed", "20261121", "--no-color",
            # Follow-ups and accounts have callers of their own, and fuzz tests of their own.
            "--exclude-path-regex", f"{FOLLOWUPS}|{AUTHCACHE}|{PAPERS}",
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(fuzzing.communicate(), timeout=280)
        assert fuzzing.returncode == 0, said.decode()[-6000:]

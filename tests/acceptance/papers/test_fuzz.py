"""Every route of the papers, asked by schemathesis in every way it can think of, on the real host."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.acceptance.diamonds.test_fuzz import FLAGS, PAPERS
from tests.acceptance.papers.conftest import KEY, lines
from tests.acceptance.papers.test_ingest import record


async def test_every_route_answers_as_its_document_says(running: Any, tmp_path: Path) -> None:
    with running(PAPERS_EMBEDDER="hashing", PAPERS_MAP_FITTER="pca") as app:
        blob = app.upload("a.jsonl", lines([record(n) for n in range(60)]))
        started = app.ask("POST", "/api/papers/ingest", {"blob": blob, "source": "arxiv"}, status=202)
        app.ended(started["location"])
        app.ask("POST", "/api/papers/enrich", status=202)
        app.until(lambda: any(one["waiting"] == 0 for one in app.ask("GET", "/api/papers/models")["models"]))
        app.map_made()
        command = [str(Path(sys.executable).with_name("st")), "run", f"{app.host.url}/openapi.json", *FLAGS]
        fuzzing = await asyncio.create_subprocess_exec(
            *command, "--header", f"X-Admin-Key: {KEY}",
            "--include-path-regex", PAPERS, "--seed", "20261130", "--no-color",
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(fuzzing.communicate(), timeout=280)
        assert fuzzing.returncode == 0, said.decode()[-6000:]

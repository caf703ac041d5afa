"""What the README and the pages of docs/ tell people to type, typed: against the whole app, in the page's order."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from local.up import Options, Ports, stack

ROOT = Path(__file__).parents[3]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("**/*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ELSEWHERE = {
    "add-a-workload.md": "tests/acceptance/docs/test_add_a_workload.py",
    "deploy.md": "tests/unit/infra/test_deploy_page.py",
    "local-services.md": "tests/integration/docs/test_local_services.py",
    "local-host.md": "tests/acceptance/local/host",
}
"""Pages whose blocks have tests of their own, since they need another machine or another app."""


def blocks(page: Path, language: str) -> list[str]:
    return [text for found, text in BLOCK.findall(page.read_text()) if found == language]


HERE = [page for page in PAGES if page.name not in ELSEWHERE]


@pytest.mark.parametrize("page", HERE, ids=lambda page: page.stem)
def test_every_block_is_of_a_kind_that_is_tested(page: Path) -> None:
    opened = re.findall(r"^```(.*)$", page.read_text(), re.MULTILINE)
    assert len(opened) % 2 == 0
    assert set(opened[::2]) <= {"bash", "make", "json", "python", "mermaid"}, "mermaid draws; all others run"


@pytest.mark.parametrize("name", ELSEWHERE)
def test_pages_tested_elsewhere_are(name: str) -> None:
    place = ROOT / ELSEWHERE[name]
    texts = [path.read_text() for path in ([place] if place.is_file() else place.glob("*.py"))]
    assert any(name in text for text in texts)


@pytest.mark.parametrize("page", HERE, ids=lambda page: page.stem)
def test_make_words_exist_json_parses_and_python_compiles(page: Path) -> None:
    for text in blocks(page, "make"):
        for line in filter(None, map(str.strip, text.splitlines())):
            command = line.split("#")[0].split()
            assert command[0] == "make"
            subprocess.run(["make", "--dry-run", *command[1:]], cwd=ROOT, check=True, capture_output=True)
    for text in blocks(page, "json"):
        json.loads(text)
    for text in blocks(page, "python"):
        compile(text, str(page), "exec")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def environment() -> AsyncGenerator[dict[str, str]]:
    """The variables that the pages tell their readers to set, for one app with a few diamonds, as a reader has it."""
    with tempfile.TemporaryDirectory() as folder:
        options = Options(
            ports=Ports.free(),
            folder=Path(folder),
            supplier_flags=("--diamonds", "1500"),
            overrides={"NIVODA_REQUESTS_PER_SECOND": "0"},
        )
        async with stack(options) as running:
            yield {
                **os.environ,
                **running.settings,
                "APP": f"http://127.0.0.1:{running.options.ports.host}",
                "KEY": running.settings["ADMIN_API_KEY"],
            }


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("page", [page for page in HERE if blocks(page, "bash")], ids=lambda page: page.stem)
async def test_what_a_page_tells_to_type_works(page: Path, environment: dict[str, str]) -> None:
    # One shell for the page: a reader's variables last from block to block. The first command that fails ends it.
    script = "\n".join(["set -euo pipefail", *blocks(page, "bash")])
    shell = await asyncio.create_subprocess_exec(
        "bash", "-c", script, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(shell.communicate(), timeout=240)
    assert shell.returncode == 0, said.decode()

"""What the pages call by its path is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md"), *(ROOT / ".github").glob("**/*.md")]
TOP = "activities|bench|console|docs|examples|infra|lint|local|migrations|orchestrators|shared|tests|tools|triggers"
PLACE = re.compile(rf"`((?:{TOP})/[\w./*-]*)`|\]\(([\w./-]+)(?:#[\w-]*)?\)")
TEST = re.compile(r"`(tests/[\w./-]+\.py)::(\w+)`")
NOT_HERE = re.compile(r"/words(/|\.|$)|NNNN|/\.venv$")
"""Files of the workload that docs/add-a-workload.md builds, and what a command makes."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_on_a_page_is_there(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    missing: list[str] = []
    for here, linked in PLACE.findall(text):
        if NOT_HERE.search(here):
            continue
        found = list(ROOT.glob(here.rstrip("/"))) if here else [one for one in [page.parent / linked] if one.exists()]
        if not found:
            missing.append(here or linked)
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_test_on_a_page_is_there(page: Path) -> None:
    missing = [f"{file}::{name}" for file, name in TEST.findall(page.read_text()) if not _has(ROOT / file, name)]
    assert missing == []


def _has(file: Path, name: str) -> bool:
    return file.is_file() and re.search(rf"^(async )?def {name}\(", file.read_text(), re.MULTILINE) is not None

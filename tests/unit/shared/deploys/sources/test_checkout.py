"""What git has checked out, made a source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shared.deploys.sources.checkout import settle
from shared.deploys.sources.tree import LIMITS
from shared.platform.errors import InvalidInput


def checked_out(folder: Path, levels: int) -> list[str]:
    """Folders of which each holds two links to the one before, as git writes links where there are none."""
    (folder / ".git").mkdir(parents=True)
    (folder / "f0").mkdir()
    (folder / "f0" / "file").write_text("x")
    links: list[str] = []
    for level in range(1, levels + 1):
        (folder / f"f{level}").mkdir()
        for name in ("x", "y"):
            (folder / f"f{level}" / name).write_text(f"../f{level - 1}")
            links.append(f"f{level}/{name}")
    return links


def test_links_become_copies_of_what_they_lead_to(tmp_path: Path) -> None:
    links = checked_out(tmp_path / "source", 2)
    settle(tmp_path / "source", LIMITS, links)
    assert (tmp_path / "source" / "f2" / "y" / "x" / "file").read_text() == "x"


def test_links_that_double_what_they_hold_are_refused_before_they_are_copied(tmp_path: Path) -> None:
    links = checked_out(tmp_path / "source", 30)
    with pytest.raises(InvalidInput, match="more than 500 entries"):
        settle(tmp_path / "source", replace(LIMITS, entries=500), links)
    assert sum(1 for _ in (tmp_path / "source").rglob("*")) < 1_000

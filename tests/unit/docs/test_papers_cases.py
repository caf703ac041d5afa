"""The page of cases names tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_each_case_has_its_test():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs/papers-cases.md").read_text())
    assert len(named) > 20
    assert [f"{file}::{test}" for file, test in named if f"def {test}(" not in (ROOT / file).read_text()] == []

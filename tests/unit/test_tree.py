"""The tests mirror the app's tree: who looks for the tests of a module finds them under its own path."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def folders(kind: str) -> set[Path]:
    """The folders of this kind of test that hold tests, each relative to the kind's own."""
    base = ROOT / "tests" / kind
    return {path.parent.relative_to(base) for path in base.rglob("test_*.py")}


def mirrored(folder: Path) -> bool:
    """Whether the app has a package, a module or a folder of that path."""
    return (ROOT / folder).is_dir() or (ROOT / folder).with_suffix(".py").is_file()


@pytest.mark.parametrize("kind", ["unit", "integration"])
def test_a_folder_of_tests_is_named_for_a_module_or_a_package(kind: str) -> None:
    found = folders(kind)
    assert len(found) > 10
    assert [str(folder) for folder in sorted(found) if not mirrored(folder)] == []


def test_a_folder_of_acceptance_tests_is_named_for_a_workload_or_a_package() -> None:
    workloads = {Path(path.parent.name) for path in (ROOT / "triggers").glob("*/__init__.py")}
    strangers = [folder for folder in folders("acceptance") - workloads if not mirrored(folder)]
    assert [str(folder) for folder in sorted(strangers)] == []

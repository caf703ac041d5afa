"""What tests read of the Bicep modules: each as its declarations, and a resource as plain values."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.bicep_check.syntax import Document, parse

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def modules(root: Path) -> dict[str, Document]:
    """The modules of infra/bicep by name."""
    return {path.stem: parse(path) for path in sorted((root / "infra/bicep").glob("*.bicep"))}

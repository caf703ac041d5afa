from pathlib import Path

import pytest

APPS = Path(__file__).parents[3] / "apps"


@pytest.fixture(scope="session")
def apps() -> Path:
    """The folder with one small function app for each feature."""
    return APPS

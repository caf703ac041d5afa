from pathlib import Path

import pytest

from local.host.testing import fixtures

function_app = fixtures.function_app
APPS = Path(__file__).parents[3] / "apps"


@pytest.fixture(scope="session")
def apps() -> Path:
    """The folder with one small function app for each feature."""
    return APPS

"""A pytest fixture that starts function apps: `pytest_plugins = ["local.host.testing.fixtures"]` in a conftest.py."""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from local.host.testing import InProcessHost


@pytest.fixture
def function_app(tmp_path: Path) -> Generator[Callable[..., InProcessHost]]:
    """Called with an app's folder (and what InProcessHost takes beside it): the app, ready, until the test ends."""
    with ExitStack() as stack:

        def start(app: Path | str, **options: Any) -> InProcessHost:
            options.setdefault("data", tmp_path / "local-host")
            return stack.enter_context(InProcessHost(Path(app), **options))

        yield start

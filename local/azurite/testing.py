"""A pytest fixture: one Azurite for all workers of a test run. It takes seconds to start, so use names of your own.

Load it with `pytest_plugins = ["local.azurite.testing"]` in tests/conftest.py.
"""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from local.azurite import Ports, azurite, connection_string
from local.processes import free_port
from local.testing import shared, shared_folder


@pytest.fixture(scope="session")
def storage_connection(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The connection string of an Azurite that starts empty."""
    with shared(shared_folder(tmp_path_factory), "azurite", _start) as connection:
        yield connection


@contextmanager
def _start() -> Generator[str]:
    ports = Ports(free_port(), free_port(), free_port())
    with tempfile.TemporaryDirectory(prefix="manifold-azurite-") as data, azurite(data, ports):
        yield connection_string(ports)

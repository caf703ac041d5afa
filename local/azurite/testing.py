"""A pytest fixture: one Azurite for all workers of a test run, which takes seconds to start; each has its own account.

A host takes whatever is in its queues: of two workers' hosts on one account, each would get the other's messages.

Load it with `pytest_plugins = ["local.azurite.testing"]` in tests/conftest.py.
"""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from local.azurite import Ports, azurite, connection_string
from local.processes import free_ports
from local.testing import shared, shared_folder

MOST_WORKERS = 16


@pytest.fixture(scope="session")
def storage_connection(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The connection string of an account that starts empty; the tests of one worker share it."""
    account = f"{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}account"
    with shared(shared_folder(tmp_path_factory), "azurite", _start) as ports:
        yield connection_string(Ports(*map(int, ports.split())), account)


@contextmanager
def _start() -> Generator[str]:
    ports = Ports(*free_ports(3))
    accounts = [f"gw{number}account" for number in range(MOST_WORKERS)]
    with tempfile.TemporaryDirectory(prefix="manifold-azurite-") as data, azurite(data, ports, accounts):
        yield f"{ports.blob} {ports.queue} {ports.table}"

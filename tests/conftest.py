"""What every test stands on."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Generator
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.fresh_attempts import forget_attempts

if TYPE_CHECKING:
    from local.postgres.testing import Databases

# What is loaded for the tests stays: looking for garbage among it takes a quarter of the time that loading takes.
gc.disable()

# As in the app's settings: outsiders' JSON must never be rebuilt as objects (read when azure.functions decodes).
os.environ["AZURE_FUNCTIONS_DURABLE_STRICT_TYPING"] = "1"

# How long an example takes says how busy the machine is, and is no reason to fail.
settings.register_profile("manifold", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("manifold")

# Servers that tests share: `postgres`, `database`, `module_database`; `storage_connection`.
pytest_plugins = ["local.postgres.testing", "local.azurite.testing"]


ACCEPTANCE = Path(__file__).with_name("acceptance")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let every worker begin with modules of acceptance tests, and all end with tests of milliseconds.

    Each worker is given as long a piece of the list, and takes tests from the end of another's piece when its own is
    done. Acceptance tests take seconds and mostly wait: left for the end, they would keep a worker while others idle.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    of_acceptance = [item for item in items if item.path.is_relative_to(ACCEPTANCE)]
    others = [item for item in items if not item.path.is_relative_to(ACCEPTANCE)]
    pieces: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for _, module in groupby(of_acceptance, lambda item: item.path):
        min(pieces, key=len).extend(module)
    for number, piece in enumerate(pieces):
        begins, ends = (len(items) * one // workers for one in (number, number + 1))
        room = max(0, ends - begins - len(piece))
        piece.extend(others[:room])
        others = others[room:]
    items[:] = [*chain.from_iterable(pieces), *others]


def pytest_collection_finish() -> None:
    """Look for garbage again, but never among the tests."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _no_failed_attempts() -> None:
    """What other tests have presented slows nobody down."""
    forget_attempts()


@pytest.fixture
def migrated_dsn(postgres: Databases) -> Generator[str]:
    """The DSN of a fresh database with the app's schema."""
    with postgres.database(postgres.template("migrated", migrate)) as dsn:
        yield dsn


def migrate(dsn: str) -> None:
    """Give a database the app's schema, as `make migrate` does."""
    environment = {**os.environ, "POSTGRES_DSN": dsn}
    subprocess.run(
        [sys.executable, "-m", "shared.platform.stores.migrate"], env=environment, check=True, capture_output=True
    )

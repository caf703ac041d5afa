"""What the tests of all workloads stand on."""

from collections.abc import Generator

import pytest

from local.cosmos.testing import CosmosProcess, running


@pytest.fixture(scope="session")
def cosmos(tmp_path_factory: pytest.TempPathFactory) -> Generator[CosmosProcess]:
    """The document database of this worker."""
    with running(tmp_path_factory.mktemp("cosmos")) as process:
        yield process

from collections.abc import Generator
from itertools import count

import pytest
from azure.cosmos import ContainerProxy, CosmosClient, DatabaseProxy, PartitionKey

from local.cosmos.testing import CosmosProcess, running


@pytest.fixture(scope="package")
def cosmos(tmp_path_factory: pytest.TempPathFactory) -> Generator[CosmosProcess]:
    with running(tmp_path_factory.mktemp("cosmos")) as process:
        yield process


@pytest.fixture(scope="package")
def client(cosmos: CosmosProcess) -> Generator[CosmosClient]:
    with CosmosClient(cosmos.endpoint, cosmos.key) as one:
        yield one


@pytest.fixture(scope="package")
def database(client: CosmosClient) -> DatabaseProxy:
    return client.create_database("tests")


@pytest.fixture(scope="package")
def _numbers():
    return count()


@pytest.fixture
def make_container(database: DatabaseProxy, _numbers):
    def make(path: str | list[str] = "/x", **settings) -> ContainerProxy:
        key = PartitionKey(path, kind="MultiHash") if isinstance(path, list) else PartitionKey(path)
        return database.create_container(f"c{next(_numbers)}", key, **settings)

    return make


@pytest.fixture
def container(make_container) -> ContainerProxy:
    return make_container()

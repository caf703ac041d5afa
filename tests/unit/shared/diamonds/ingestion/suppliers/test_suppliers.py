"""Which supplier a feed's name stands for."""

import pytest

from shared.diamonds.ingestion.suppliers import supplier
from shared.diamonds.ingestion.suppliers.nivoda import Nivoda
from shared.platform.errors import NotFound, TerminalError
from tests.fresh_settings import forget_settings


@pytest.fixture
def configure(monkeypatch):
    def set_all(**values: str) -> None:
        for name, value in {"postgres_dsn": "host=unused", **values}.items():
            monkeypatch.setenv(name.upper(), value)
        forget_settings()

    yield set_all
    forget_settings()


async def test_nivoda_comes_with_its_settings(configure):
    configure(nivoda_endpoint="https://nivoda.test", nivoda_username="me", nivoda_password="x")
    assert isinstance(supplier("nivoda"), Nivoda)


async def test_a_feed_that_is_not_set_up_names_what_is_missing(configure):
    configure(nivoda_endpoint="https://nivoda.test")
    with pytest.raises(TerminalError, match=r"Set NIVODA_USERNAME, NIVODA_PASSWORD\."):
        supplier("nivoda")


async def test_an_unknown_feed_is_not_found():
    with pytest.raises(NotFound, match="The feeds are: nivoda"):
        supplier("rapnet")

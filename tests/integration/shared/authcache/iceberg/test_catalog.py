"""What opens the files of the tables: the app's own storage, or what a REST catalog vends for another account."""

from typing import Any

import pytest
from pyiceberg.io import load_file_io

from shared.authcache.iceberg.catalog import _properties
from tests.fresh_settings import forget_settings

FILE = "abfss://iceberg@stlake123.dfs.core.windows.net/w/users/metadata/1.json"
VENDED = {
    "adls.sas-token.stlake123.dfs.core.windows.net": "sv=2025&sig=LAKE",
    "adls.sas-token.stlake123": "sv=2025&sig=LAKE",
}


@pytest.fixture
def in_azure(monkeypatch):
    monkeypatch.delenv("STORAGE_CONNECTION", raising=False)
    monkeypatch.setenv("POSTGRES_DSN", "host=unused")
    monkeypatch.setenv("STORAGE_BLOB_ENDPOINT", "https://stdata123.blob.core.windows.net/")
    monkeypatch.setenv("AUTHCACHE_CATALOG_URI", "https://catalog.example/catalog")
    monkeypatch.setenv("AUTHCACHE_CATALOG_SCOPE", "api://catalog/.default")
    forget_settings()
    yield
    forget_settings()


def test_the_files_of_a_rest_catalog_are_opened_where_they_lie_by_what_it_vends(in_azure):
    given = {name: value for name, value in _properties().items() if name != "auth"}
    file: Any = load_file_io({**given, **VENDED}, FILE).new_input(FILE)
    opened = file._fs
    assert opened.account_name == "stlake123"
    assert "sig=LAKE" in str(opened.sas_token)

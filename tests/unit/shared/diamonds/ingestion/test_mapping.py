"""Where a feed's fields lie, and that Nivoda is asked for just those."""

import pytest
from graphql import build_schema, parse, validate

from local.supplier import execution
from shared.diamonds.ingestion.mapping import NIVODA
from shared.diamonds.ingestion.suppliers import mapping
from shared.diamonds.ingestion.suppliers.nivoda_queries import page
from shared.diamonds.settings import DiamondSettings
from shared.platform.errors import TerminalError
from tests.fresh_settings import forget_settings

SCHEMA = build_schema((execution.Path(execution.__file__).with_name("schema.graphql")).read_text())


def test_the_query_asks_for_what_the_mapping_reads():
    text = page(NIVODA)
    assert validate(SCHEMA, parse(text)) == []
    asked = text.replace("{", " ").replace("}", " ").split()
    for path in NIVODA.paths():
        assert path[-1] in asked
    assert "items { id diamond { id " in " ".join(text.split())


def test_another_place_is_asked_for_and_an_empty_one_is_not():
    elsewhere = NIVODA.at({"certificate_url": "diamond.certificate.link", "fancy_color": ""})
    text = page(elsewhere)
    assert " link " in text
    assert "pdfUrl" not in text
    assert "f_color" not in text


def test_a_setting_says_where_a_field_lies(monkeypatch):
    monkeypatch.setenv("POSTGRES_DSN", "postgresql://localhost/none")
    monkeypatch.setenv("NIVODA_FIELDS", '{"certificate_url": "diamond.certificate.link"}')
    forget_settings()
    assert mapping("nivoda").certificate_url == ("diamond", "certificate", "link")
    monkeypatch.setenv("NIVODA_FIELDS", '{"colour": "diamond.colour"}')
    forget_settings()
    with pytest.raises(TerminalError, match="no field colour"):
        mapping("nivoda")
    forget_settings()


@pytest.mark.parametrize("text", ["[]", "{", '{"price": 1}', '{"price": "a b"}', '{"price": "price) { password }"}'])
def test_what_is_no_place_stops_the_start(monkeypatch, text):
    monkeypatch.setenv("NIVODA_FIELDS", text)
    with pytest.raises(ValueError, match="nivoda_fields"):
        DiamondSettings.of_environment()

"""Text from outside is cleaned, and never stored as it came."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.papers.sources import text
from shared.papers.sources.rejected import RecordRejected


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("  a\n  b\t c ", "a b c"),
        ("a\x00b", "ab"),
        ("\ufeffTitle", "Title"),
        ("half \ud800 pair", "half pair"),
        ("e\u0301", "é"),
        ("no\u00a0break", "no break"),
        (None, ""),
    ],
)
def test_a_line_is_folded_and_cleaned(given, wanted):
    assert text.line(given, "title") == wanted


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_whatever_comes_a_line_can_be_stored(value):
    line = text.line(value, "title")
    assert line == " ".join(line.split())
    assert "\x00" not in line
    line.encode()


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Balázs, Csaba", "balazs csaba"),
        ("O'Brien", "o brien"),
        ("Łukasz", "lukasz"),
        ("İpek Straße", "ipek strasse"),
        ("Øystein Y\u0131ld\u0131z", "oystein yildiz"),
        ("Đorđević", "dordevic"),
        ("Æbelø Œuvre Þór", "aebelo oeuvre thor"),
        ("王伟", "王伟"),
    ],
)
def test_names_are_compared_without_case_and_accents(name, key):
    assert text.name_key(name) == key


@given(st.text())
def test_folding_twice_changes_nothing(value):
    assert text.folded(text.folded(value)) == text.folded(value)
    assert text.name_key(text.name_key(value)) == text.name_key(value)


@pytest.mark.parametrize(
    ("given", "day"),
    [("2008-11-26", date(2008, 11, 26)), ("2008", date(2008, 1, 1)), (2008, date(2008, 1, 1)), ("", None)],
)
def test_days_are_read_as_sources_write_them(given, day):
    assert text.day_of(given, "date") == day


@pytest.mark.parametrize("given", ["2008-13-01", "26.11.2008", "0x7d8", [2008]])
def test_what_is_no_day_is_rejected(given):
    with pytest.raises(RecordRejected, match="no date"):
        text.day_of(given, "date")


@pytest.mark.parametrize("given", ["javascript:alert(1)", "https://a b", "ftp://x", "data:text/html,x"])
def test_only_addresses_of_the_web_are_links(given):
    assert text.link_of(given) is None

"""Addresses: one key however one is written, and none for those that imitate another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.authcache.addresses import parse
from shared.platform.errors import InvalidInput


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann@EXAMPLE.com", "ann@example.com"),
        ("ann@bücher.de", "ann@xn--bcher-kva.de"),
        ("ann@BÜCHER.de", "ANN@XN--BCHER-KVA.DE"),
        ("ann@example.com.", "ann@example.com"),
        (" ann@example.com ", "ann@example.com"),
        ("andre\u0301@example.com", "andr\u00e9@example.com"),
        ("\u212aate@example.com", "kate@example.com"),
    ],
)
def test_two_ways_to_write_an_address_have_one_key(one: str, other: str) -> None:
    assert parse(one).key == parse(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.nn@gmail.com", "ann@gmail.com"),
        ("ann+x@gmail.com", "ann@gmail.com"),
        ("İnfo@example.com", "info@example.com"),
        ("\u0131nfo@example.com", "info@example.com"),
        ("\u0131nfo@example.com", "İnfo@example.com"),
        ("ann@faß.de", "ann@fass.de"),
        ("straße@example.com", "strasse@example.com"),
    ],
)
def test_two_addresses_have_two_keys(one: str, other: str) -> None:
    assert parse(one).key != parse(other).key


@pytest.mark.parametrize("text", ["\u0430nn@example.com", "ann@ex\u0430mple.com", "ann@ex\u0430mple.\u0440\u0444"])
def test_mixed_scripts_are_refused_with_the_reason(text: str) -> None:
    with pytest.raises(InvalidInput, match="mixes letters of Cyrillic and Latin"):
        parse(text)


@pytest.mark.parametrize(
    "text", ["почта@пример.рф", "почта@example.com", "山田たろう@example.jp", "δοκιμή@παράδειγμα.gr"]
)
def test_scripts_that_are_written_together_are_taken(text: str) -> None:
    assert parse(text).display.casefold() == text.casefold()


@pytest.mark.parametrize(
    "text", ["", "ann", "ann@", "@x.com", "a b@x.com", "Ann <a@x.com>", "a@x..com", "a" * 250 + "@x.com"]
)
def test_what_is_no_address_names_its_field(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(text)
    assert (refused.value.field, refused.value.code) == ("email", "unusable-address")


@given(st.from_regex(r"[A-Za-z0-9]{1,20}(\.[A-Za-z0-9]{1,10})?@[a-zA-Z]{1,10}\.(com|de|org)", fullmatch=True))
def test_what_is_shown_has_the_same_key_and_so_has_the_key(text: str) -> None:
    address = parse(text)
    assert parse(address.display) == address
    assert parse(address.key).key == address.key

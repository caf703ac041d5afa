"""Addresses of many rows at once get the keys that one alone would get."""

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from shared.authcache.addresses import parse
from shared.authcache.iceberg.reading import with_addresses
from shared.authcache.tables import SHARES, USERS
from shared.platform.errors import InvalidInput

NAMES = st.text("aB1._+-\u00e9 @", max_size=8)
DOMAINS = st.lists(st.text("aB1-\u00e9", max_size=5) | st.just("xn--bcher-kva"), max_size=3).map(".".join)
WRITTEN = st.one_of(st.none(), st.text(max_size=12), st.builds("{}@{}".format, NAMES, DOMAINS), st.emails())


def key_of(text):
    try:
        return parse(text).key if text else None
    except InvalidInput:
        return None


@given(st.lists(WRITTEN, min_size=1))
@example(["Ann@Example.com", "ann@b\u00fccher.example", "ann@XN--BCHER-KVA.example", "a..b@example.com", "", None])
def test_each_address_without_a_key_gets_its_own(written):
    rows = pa.table({"email": pa.array(written, pa.string()), "address": pa.nulls(len(written), pa.string())})
    assert with_addresses(USERS, rows).column("address").to_pylist() == [key_of(text) for text in written]


def test_a_key_that_is_there_stays_and_columns_keep_their_places():
    rows = pa.table({"viewer": ["kept", None], "shared_email": ["Ann@example.com", "Bob@Example.com"]})
    found = with_addresses(SHARES, rows)
    assert found.column_names == ["viewer", "shared_email"]
    assert found.column("viewer").to_pylist() == ["kept", "bob@example.com"]

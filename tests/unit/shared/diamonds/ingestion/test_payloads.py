"""One form for a supplier's JSON, and a key for every stone."""

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.diamonds.ingestion.models import Stone
from shared.diamonds.ingestion.payloads import LONGEST_ID, MOST_CHARACTERS, NO_ID, canonical, key

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
    max_leaves=12,
)
payloads = st.dictionaries(st.text(st.characters()), anything, max_size=4)


@given(payloads)
def test_what_is_stored_is_json_that_postgresql_takes(payload):
    text, digest = canonical(payload)
    text.encode()
    parsed = json.loads(text, parse_constant=pytest.fail)
    assert "\x00" not in json.dumps(parsed, ensure_ascii=False)
    json.dumps(parsed, ensure_ascii=False).encode()
    assert len(digest) == 32


@given(payloads, st.randoms())
def test_the_order_of_keys_does_not_matter(payload, random):
    shuffled = list(payload.items())
    random.shuffle(shuffled)
    assert canonical(dict(shuffled)) == canonical(payload)


def test_plain_payloads_are_stored_as_they_are():
    payload = {"price": 32600, "diamond": {"id": "a-1", "carats": 0.23, "note": "é \\u0000 \U0001f48e", "brown": None}}
    assert json.loads(canonical(payload)[0]) == payload


def test_a_payload_of_ascii_keeps_its_digest_in_every_version():
    # Another form would make every stone of a feed differ from what is stored, and price all of them again.
    payload = {"price": 32600, "discount": -26.43, "b": {"z": [1.0, 0.305, True, None, 'a"\\\n'], "a": {}}, "a": []}
    text = '{"a":[],"b":{"a":{},"z":[1.0,0.305,true,null,"a\\"\\\\\\n"]},"discount":-26.43,"price":32600}'
    assert canonical(payload) == (text, sha256(text.encode()).digest())


def test_another_value_gives_another_digest():
    assert canonical({"price": 1})[1] != canonical({"price": 2})[1]


@pytest.mark.parametrize("unusable", ["", "x" * (LONGEST_ID + 1), "a\x00b", "\ud800", f"{NO_ID}1"])
def test_a_stone_without_a_usable_id_gets_one_of_its_payload(unusable):
    digest = canonical({"price": 1})[1]
    assert key(Stone(unusable, "offer", None, {}), digest) == f"{NO_ID}{digest.hex()[:32]}"


def test_any_other_stone_keeps_its_id():
    assert key(Stone("3f5e-é", "offer", None, {}), b"") == "3f5e-é"


def test_a_payload_that_cannot_be_written_or_is_huge_is_stored_as_what_is_known_of_it():
    deep = inner = {}
    for _ in range(100_000):
        inner["a"] = {}
        inner = inner["a"]
    assert json.loads(canonical({"id": "x", "deep": deep})[0]) == {"unreadable": "nested too deeply"}
    huge = json.loads(canonical({"id": "x" * MOST_CHARACTERS})[0])
    assert huge["unreadable"].startswith("longer than")
    assert len(huge["begins"]) == 1_000

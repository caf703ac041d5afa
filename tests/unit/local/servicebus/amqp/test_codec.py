import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.servicebus.amqp.codec import (
    MAX_DEPTH,
    Array,
    Byte,
    Char,
    CodecError,
    Decimal,
    Described,
    Float,
    Int,
    Short,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
    decode,
    encode,
)


def integers(bits: int, kind: type, *, signed: bool):
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return st.integers(low, high).map(kind)


SCALARS = [
    st.booleans(),
    integers(8, UByte, signed=False),
    integers(16, UShort, signed=False),
    integers(32, UInt, signed=False),
    integers(64, ULong, signed=False),
    integers(8, Byte, signed=True),
    integers(16, Short, signed=True),
    integers(32, Int, signed=True),
    integers(64, int, signed=True),
    integers(64, Timestamp, signed=True),
    integers(32, Char, signed=False),
    st.floats(allow_nan=False),
    st.floats(allow_nan=False, width=32).map(Float),
    st.text(max_size=300),
    st.text(st.characters(max_codepoint=127), max_size=20).map(Symbol),
    st.binary(max_size=300),
    st.uuids(),
    st.sampled_from([4, 8, 16]).flatmap(lambda size: st.binary(min_size=size, max_size=size)).map(Decimal),
]
KEYS = st.one_of(st.text(max_size=5), st.integers(0, 9).map(ULong))


def compounds(values):
    return st.one_of(
        st.lists(values, max_size=4),
        st.dictionaries(KEYS, values, max_size=4),
        st.builds(Described, st.integers(0, 2**64 - 1).map(ULong), values),
        st.sampled_from(SCALARS[:-1]).flatmap(lambda one: st.lists(one, max_size=4)).map(Array),
    )


VALUES = st.recursive(st.one_of(st.none(), *SCALARS), compounds, max_leaves=12)


def with_types(value):
    """The value as nested (type, content), since UInt(1) == 1 == True."""
    if isinstance(value, Described):
        return Described, with_types(value.descriptor), with_types(value.value)
    if isinstance(value, dict):
        return dict, [(with_types(key), with_types(item)) for key, item in value.items()]
    if isinstance(value, list):
        return type(value), [with_types(item) for item in value]
    return type(value), value


@given(VALUES)
def test_a_value_keeps_its_content_and_type(value):
    encoded = encode(value)
    decoded, end = decode(b"before" + encoded + b"after", len(b"before"))
    assert end == len(b"before") + len(encoded)
    assert with_types(decoded) == with_types(value)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    try:
        _, end = decode(data)
    except CodecError:
        return
    assert 0 < end <= len(data)


@given(VALUES, st.data())
def test_a_cut_value_is_refused(value, data):
    encoded = encode(value)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(CodecError):
        decode(encoded[:cut])


NARROW = {
    "40": None,
    "41": True,
    "42": False,
    "5601": True,
    "43": UInt(0),
    "5207": UInt(7),
    "44": ULong(0),
    "5380": ULong(128),
    "54ff": Int(-1),
    "55fe": -2,
    "45": [],
    "a00161": b"a",
    "a102c3a9": "é",
    "a30161": Symbol("a"),
    "c003024041": [None, True],
    "c10602a1016b5401": {"k": Int(1)},
    "e0050354010203": Array([Int(1), Int(2), Int(3)]),
    "98" + "00" * 15 + "01": uuid.UUID(int=1),
    "005324c00100": Described(ULong(0x24), []),
}


@pytest.mark.parametrize(("text", "value"), NARROW.items())
def test_the_short_forms_are_understood(text, value):
    decoded, end = decode(bytes.fromhex(text))
    assert with_types(decoded) == with_types(value)
    assert end == len(text) // 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3f",
        "d0ffffffff00000001",
        "d000000004ffffffff",
        "c10301a1016b",
        "a1ff61",
        "a101ff",
        "98" + "00" * 8,
        "b0ffffffff00",
    ],
)
def test_bad_bytes_are_refused(text):
    with pytest.raises(CodecError):
        decode(bytes.fromhex(text))


def test_nesting_has_a_limit():
    value = []
    for _ in range(MAX_DEPTH + 1):
        value = [value]
    with pytest.raises(CodecError, match="nest"):
        decode(encode(value))


@pytest.mark.parametrize("value", [object(), {1, 2}, Array([1, "a"]), [object()]])
def test_what_has_no_amqp_type_is_refused(value):
    with pytest.raises(TypeError):
        encode(value)

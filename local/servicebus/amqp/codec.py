"""AMQP 1.0's type system: bytes to Python values and back, every value keeping its AMQP type.

Own code, because no maintained codec fits: the one inside azure-servicebus is private, drops the types (a symbol, a
string and a timestamp all come back as something else, so an annotation could not be passed on as it was sent), and
testing a client against its own codec would hide that codec's faults; python-qpid-proton is C without wheels.

Rules: part 1 of the OASIS standard "AMQP version 1.0". Encoding always takes the widest form of a type: valid
everywhere and the simplest to write. Python's int stands for `long`, float for `double`, str for `string`, bytes for
`binary`, list for `list`, dict for `map`; the classes below stand for the rest.
"""

import struct
import uuid
from dataclasses import dataclass
from typing import Any

MAX_DEPTH = 32


class CodecError(ValueError):
    """The bytes are no valid AMQP value."""


class UByte(int): ...


class UShort(int): ...


class UInt(int): ...


class ULong(int): ...


class Byte(int): ...


class Short(int): ...


class Int(int): ...


class Timestamp(int):
    """Milliseconds since 1970-01-01 UTC."""


class Float(float):
    """A 32-bit float."""


class Char(int):
    """A Unicode code point."""


class Decimal(bytes):
    """A decimal32, 64 or 128 (by its length), passed on without being read."""


class Symbol(str):
    __slots__ = ()


class Array(list[Any]):
    """Values of one AMQP type."""


@dataclass(frozen=True, slots=True)
class Described:
    """A value with a descriptor that says what it means."""

    descriptor: Any
    value: Any


_FIXED: dict[int, tuple[struct.Struct, type[Any]]] = {
    0x50: (struct.Struct(">B"), UByte),
    0x51: (struct.Struct(">b"), Byte),
    0x52: (struct.Struct(">B"), UInt),
    0x53: (struct.Struct(">B"), ULong),
    0x54: (struct.Struct(">b"), Int),
    0x55: (struct.Struct(">b"), int),
    0x56: (struct.Struct(">?"), bool),
    0x60: (struct.Struct(">H"), UShort),
    0x61: (struct.Struct(">h"), Short),
    0x70: (struct.Struct(">I"), UInt),
    0x71: (struct.Struct(">i"), Int),
    0x72: (struct.Struct(">f"), Float),
    0x73: (struct.Struct(">I"), Char),
    0x80: (struct.Struct(">Q"), ULong),
    0x81: (struct.Struct(">q"), int),
    0x82: (struct.Struct(">d"), float),
    0x83: (struct.Struct(">q"), Timestamp),
}
_CONSTANTS: dict[int, Any] = {0x40: None, 0x41: True, 0x42: False, 0x43: UInt(0), 0x44: ULong(0)}
_DECIMALS = {0x74: 4, 0x84: 8, 0x94: 16}
_UUID, _UUID_SIZE = 0x98, 16
_BYTE, _WORD = struct.Struct(">B"), struct.Struct(">I")
_VARIABLE: dict[int, tuple[struct.Struct, type[Any]]] = {
    0xA0: (_BYTE, bytes),
    0xA1: (_BYTE, str),
    0xA3: (_BYTE, Symbol),
    0xB0: (_WORD, bytes),
    0xB1: (_WORD, str),
    0xB3: (_WORD, Symbol),
}
_COMPOUND: dict[int, tuple[struct.Struct, type[Any]]] = {
    0xC0: (_BYTE, list),
    0xC1: (_BYTE, dict),
    0xE0: (_BYTE, Array),
    0xD0: (_WORD, list),
    0xD1: (_WORD, dict),
    0xF0: (_WORD, Array),
}
_EMPTY_LIST = 0x45
# The narrow forms come first in these tables, so that the widest form of each type is the one that stays here.
_CODES = {
    kind: (code, packer) for table in (_FIXED, _VARIABLE, _COMPOUND) for code, (packer, kind) in sorted(table.items())
}
_SHORT_DESCRIPTOR, _LARGEST_SHORT = 0x53, 255


def decode(buffer: bytes, offset: int = 0) -> tuple[Any, int]:
    """The value that starts at `offset`, and the offset behind it.

    Raises:
        CodecError: the bytes end too soon, nest too deep or hold an unknown type.
    """
    try:
        return _decode(buffer, offset, 0)
    except (struct.error, IndexError, UnicodeDecodeError, TypeError) as error:
        raise CodecError(f"This is no AMQP value: {error}") from error


def _decode(buffer: bytes, offset: int, depth: int) -> tuple[Any, int]:
    if depth > MAX_DEPTH:
        raise CodecError(f"AMQP values may nest {MAX_DEPTH} deep here.")
    code = buffer[offset]
    offset += 1
    if code == 0x00:
        descriptor, offset = _decode(buffer, offset, depth + 1)
        value, offset = _decode(buffer, offset, depth + 1)
        return Described(descriptor, value), offset
    return _decode_body(code, buffer, offset, depth)


def _decode_body(code: int, buffer: bytes, offset: int, depth: int) -> tuple[Any, int]:
    if code in _CONSTANTS:
        return _CONSTANTS[code], offset
    if code in _FIXED:
        packer, kind = _FIXED[code]
        return kind(packer.unpack_from(buffer, offset)[0]), offset + packer.size
    if code in _VARIABLE:
        packer, kind = _VARIABLE[code]
        size: int = packer.unpack_from(buffer, offset)[0]
        raw, end = _slice(buffer, offset + packer.size, size)
        return (raw if kind is bytes else kind(raw.decode())), end
    if code == _UUID:
        raw, end = _slice(buffer, offset, _UUID_SIZE)
        return uuid.UUID(bytes=raw), end
    if code in _DECIMALS:
        raw, end = _slice(buffer, offset, _DECIMALS[code])
        return Decimal(raw), end
    return _decode_compound(code, buffer, offset, depth)


def _decode_compound(code: int, buffer: bytes, offset: int, depth: int) -> tuple[Any, int]:
    if code == _EMPTY_LIST:
        return [], offset
    if code not in _COMPOUND:
        raise CodecError(f"0x{code:02x} is no AMQP type.")
    packer, kind = _COMPOUND[code]
    size: int = packer.unpack_from(buffer, offset)[0]
    count: int = packer.unpack_from(buffer, offset + packer.size)[0]
    end = offset + packer.size + size
    offset += 2 * packer.size
    # A frame of a few bytes must not ask for millions of values: each takes a byte (but the nulls of an array).
    if end > len(buffer) or count > size:
        raise CodecError("The size of a compound value does not fit its bytes.")
    values: list[Any] = []
    element = None
    if kind is Array:
        element = buffer[offset]
        offset += 1
    for _ in range(count):
        if element is None:
            value, offset = _decode(buffer, offset, depth + 1)
        else:
            value, offset = _decode_body(element, buffer, offset, depth + 1)
        values.append(value)
    if kind is not dict:
        return kind(values), end
    if count % 2:
        raise CodecError("A map has a key without a value.")
    return dict(zip(values[::2], values[1::2], strict=True)), end


def _slice(buffer: bytes, offset: int, size: int) -> tuple[bytes, int]:
    if offset + size > len(buffer):
        raise CodecError("The bytes end within a value.")
    return buffer[offset : offset + size], offset + size


def encode(value: Any) -> bytes:
    """The AMQP encoding of a value.

    Raises:
        TypeError: the value's class has no AMQP type.
    """
    if isinstance(value, Described):
        return b"\x00" + _encode_descriptor(value.descriptor) + encode(value.value)
    code, body = _encode_parts(value)
    return bytes([code]) + body


def _encode_descriptor(descriptor: Any) -> bytes:
    # azure-servicebus reads the descriptor at a fixed place and so knows the one-byte form only.
    if isinstance(descriptor, int) and descriptor <= _LARGEST_SHORT:
        return bytes([_SHORT_DESCRIPTOR, descriptor])
    return encode(descriptor)


def _encode_parts(value: Any) -> tuple[int, bytes]:
    """The code of the value's type, and the bytes behind the code."""
    kind: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType] - any AMQP value
    if value is None:
        return 0x40, b""
    if kind is uuid.UUID:
        return _UUID, value.bytes
    if kind is Decimal:
        return {size: code for code, size in _DECIMALS.items()}[len(value)], bytes(value)
    if kind not in _CODES:
        raise TypeError(f"{kind.__name__} has no AMQP type.")
    code, packer = _CODES[kind]
    if code in _FIXED:
        return code, packer.pack(value)
    if code in _VARIABLE:
        raw: bytes = value if kind is bytes else value.encode()
        return code, packer.pack(len(raw)) + raw
    items: list[Any] = [part for pair in value.items() for part in pair] if kind is dict else value
    body = _encode_elements(items) if kind is Array else b"".join(encode(item) for item in items)
    return code, packer.pack(len(body) + packer.size) + packer.pack(len(items)) + body


def _encode_elements(values: list[Any]) -> bytes:
    """The code that the elements of an array share, and each one's bytes."""
    parts = [_encode_parts(value) for value in values]
    codes = {code for code, _ in parts}
    if len(codes) > 1:
        raise TypeError("An AMQP array holds values of one type.")
    # An empty array still names a type of its elements; null takes no bytes.
    return bytes([codes.pop() if codes else 0x40]) + b"".join(body for _, body in parts)

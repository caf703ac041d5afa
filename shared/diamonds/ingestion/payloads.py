"""A supplier's JSON in the one form that is stored and compared."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from shared.diamonds.ingestion.models import Stone

if TYPE_CHECKING:
    from msgspec.json import Encoder

LONGEST_ID = 200
"""Characters of a stone's id; an index holds about 2,700 bytes, and real ids are 36 to 50."""

MOST_CHARACTERS = 1_000_000
"""Of one diamond's payload; usual ones have about 1,500."""

UNREADABLE = "unreadable"
"""Stands in the payload of an item that is no object, and holds what it is."""

NO_ID = "unusable-id:"
"""Begins the key of a stone whose own id cannot be one. It is stored and counted under it, and fails consolidation."""


@lru_cache(maxsize=1)
def _encoder() -> Encoder:
    """Of compact JSON in UTF-8 with sorted keys. It writes null for NaN and infinities."""
    from msgspec.json import Encoder  # noqa: PLC0415 - loads in the activity that needs it

    return Encoder(order="deterministic")


def canonical(payload: dict[str, Any]) -> tuple[str, bytes]:
    """The payload as JSON that PostgreSQL takes, alike whatever the order of its keys, and its sha256.

    PostgreSQL stores neither U+0000 nor half a surrogate pair, and JSON knows no NaN: those become U+FFFD and null.
    """
    encode = _encoder().encode
    try:
        content = encode(payload)
        if b"\\" in content and b"\\u0000" in content:  # one byte is found ten times as fast as six
            content = encode(_storable(payload))
    except UnicodeEncodeError:  # half a surrogate pair
        content = encode(_storable(payload))
    except RecursionError:
        content = encode({UNREADABLE: "nested too deeply"})
    text = content.decode()
    if len(text) > MOST_CHARACTERS:
        content = encode({UNREADABLE: f"longer than {MOST_CHARACTERS:,} characters", "begins": text[:1_000]})
        text = content.decode()
    return text, sha256(content).digest()


def unreadable(item: Any, number: int) -> Stone:
    """A stone for an item of a page that is no object: stored under a key of its own, it fails when it is mapped.

    `number` is the item's place on its page, which tells two equal items apart.
    """
    return Stone(supplier_stone_id="", offer_id="", source_updated_at=None, payload={UNREADABLE: item, "at": number})


def key(stone: Stone, digest: bytes) -> str:
    """What the stone is stored under: its id, or one made of its payload's digest if it has none that can be stored."""
    own = stone.supplier_stone_id
    usable = own and len(own) <= LONGEST_ID and own == storable_text(own) and not own.startswith(NO_ID)
    return own if usable else f"{NO_ID}{digest.hex()[:32]}"


def storable_text(text: str) -> str:
    """The text with U+FFFD for each character that PostgreSQL does not store."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "\ufffd")


def _storable(value: Any) -> Any:
    match value:
        case str():
            return storable_text(value)
        case float():
            return value if isfinite(value) else None
        case dict():
            return {storable_text(str(k)): _storable(v) for k, v in cast("dict[Any, Any]", value).items()}
        case list():
            return [_storable(v) for v in cast("list[Any]", value)]
        case _:
            return value

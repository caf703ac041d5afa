"""Cursors of lists: what a caller is given is the place where a page ended, sealed for its list.

A seal tells a cursor that was changed or cut on its way, or that belongs to another list: each would read from
somewhere else, or from the beginning, and nobody would see it. Whoever has read this can make a seal, so a list reads
a place like any other input.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Annotated, Final, cast

from pydantic import BeforeValidator, Field, PlainSerializer, SerializationInfo, ValidationInfo

from shared.platform.errors import UnusableCursor

LONGEST: Final = 8_192
SEAL_BYTES: Final = 9
_LIST: Final = "list"


def sealed(place: str, name: str) -> str:
    """The cursor of a place in the list of this name."""
    content = place.encode()
    return base64.urlsafe_b64encode(_seal(content, name) + content).decode().rstrip("=")


def opened(cursor: str, name: str) -> str:
    """The place in a cursor that the list of this name gave.

    Raises:
        UnusableCursor: it did not give this one.
    """
    try:
        content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[SEAL_BYTES:]
        place = content.decode()
    except ValueError:
        raise UnusableCursor from None
    if sealed(place, name) != cursor:  # the decoder passes over letters that are none of its own
        raise UnusableCursor
    return place


def of_list(name: str) -> dict[str, str]:
    """The context in which pydantic reads and writes the cursors of the list of this name."""
    return {_LIST: name}


def _seal(content: bytes, name: str) -> bytes:
    return hashlib.sha256(b"%b cursor %b" % (name.encode(), content)).digest()[:SEAL_BYTES]


def _open(value: object, info: ValidationInfo) -> object:
    """What was read from a request is opened; what our own code hands over is a place already."""
    context = cast("dict[str, str] | None", info.context)
    return opened(value, context[_LIST]) if context and isinstance(value, str) else value


def _close(value: str | None, info: SerializationInfo) -> str | None:
    context = cast("dict[str, str] | None", info.context)
    return sealed(value, context[_LIST]) if context and value is not None else value


OPENED: Final = BeforeValidator(
    _open, json_schema_input_type=Annotated[str, Field(max_length=LONGEST, pattern=r"^[A-Za-z0-9_-]+$")]
)
"""Marks the type of a place that a query holds as a cursor."""
Next = Annotated[str | None, PlainSerializer(_close, return_type=str | None)]
"""The place where the next page begins, given to callers as a cursor; None on the last one."""

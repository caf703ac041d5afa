"""What a test needs to be there before it goes on."""

from typing import TypeVar

T = TypeVar("T")


def present(value: T | None) -> T:
    """The value; a test that finds none fails here."""
    assert value is not None
    return value

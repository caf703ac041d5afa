"""What a test needs to be there before it goes on, and values that a test hands over in spite of their type."""

from typing import Any, TypeVar

T = TypeVar("T")


def present(value: T | None) -> T:
    """The value; a test that finds none fails here."""
    assert value is not None
    return value


def untyped(value: object) -> Any:
    """The value without its type: one that must be refused, or the test's own class in the place of a library's."""
    return value

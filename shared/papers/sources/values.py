"""Lists and objects of a record from outside, of which any may be something else."""

from __future__ import annotations

from typing import Any, cast


def list_of(value: Any) -> list[Any]:
    """The list itself; an empty one in place of anything else."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def object_of(value: Any) -> dict[str, Any]:
    """The object itself; an empty one in place of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}

"""Bicep values for tests, which know what they look for."""

from typing import Any

from tools.bicep_check import syntax


def plain(node: Any) -> Any:
    """A literal as a Python value."""
    return syntax.plain(node)

"""Bicep values for tests, which know what they look for."""

from typing import Any

from tools.bicep_check import syntax
from tools.bicep_check.syntax import Node


def plain(node: Node | None) -> Any:
    """A literal as a Python value."""
    return syntax.plain(node)

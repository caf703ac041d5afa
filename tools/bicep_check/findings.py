"""What is wrong with a file, in the compiler's own codes where it has one."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong; line and column count from 1."""

    line: int
    column: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.code} {self.message}"


@dataclass
class Findings:
    """Collects them, each once."""

    found: set[Finding] = field(default_factory=set[Finding])

    def add(self, node: Node, code: str, message: str) -> None:
        """Note what is wrong at a node."""
        line, column = node.start_point
        self.found.add(Finding(line + 1, column + 1, code, message))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the nearest known one."""
    nearest = difflib.get_close_matches(name, list(known), 1, 0.7)
    return f" Did you mean '{nearest[0]}'?" if nearest else ""

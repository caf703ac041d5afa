"""How benchmarks are printed: one table each, with units, a peer, and the ratio between the two."""

from __future__ import annotations

import os
import platform
from statistics import median

from rich.console import Console
from rich.table import Table

console = Console(width=None if os.isatty(1) else 120)


def machine() -> str:
    """The machine in a line, since figures mean nothing without it."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def comparison(title: str, columns: tuple[str, ...]) -> Table:
    """A table whose first column names what was measured; the others hold figures."""
    table = Table(title=title, title_justify="left")
    table.add_column(columns[0])
    for name in columns[1:]:
        table.add_column(name, justify="right")
    return table


def ratio(ours: float, theirs: float) -> str:
    """How many times as much of something good we have, as text."""
    return f"{ours / theirs:.2f} x" if theirs else "-"


def middle(figures: list[float]) -> float:
    """The median: machines are noisy, and a mean follows the worst run."""
    return median(figures)

"""The most memory that a process needs while something happens. Linux tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def peak_from_now(pid: int | str = "self") -> Callable[[], int]:
    """What gives the megabytes that the process has had at most since, beyond what it has now."""
    process = Path("/proc") / str(pid)
    (process / "clear_refs").write_text("5")  # the peak begins anew
    before = _megabytes(process, "VmRSS")
    return lambda: _megabytes(process, "VmHWM") - before


def _megabytes(process: Path, field: str) -> int:
    [line] = [one for one in (process / "status").read_text().splitlines() if one.startswith(f"{field}:")]
    return int(line.split()[1]) // 1024

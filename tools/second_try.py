"""A pytest plugin for `make retest`: lists what failed in the whole run and passes now. Each is a defect to be mended.

Under GitHub's CI each is also a warning on the run's page, and the table stands in its summary.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_HEADLINE = "passed only on the second try"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, above the line with which pytest closes."""
    passed: list[pytest.TestReport] = terminalreporter.stats.get("passed", [])
    if not passed:
        return
    rows = sorted((report.nodeid, f"{report.duration:.1f} s") for report in passed)
    terminalreporter.section(f"{len(rows)} {_HEADLINE}: each of these tests, or what it tests, is to be mended")
    width = max(len(name) for name, _ in rows)
    for name, seconds in rows:
        terminalreporter.write_line(f"{name:<{width}}  {seconds:>8}")
    if os.environ.get("GITHUB_ACTIONS"):
        for name, _ in rows:
            terminalreporter.write_line(f"::warning title=Flaky test::{name} {_HEADLINE}")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        lines = [f"### {len(rows)} {_HEADLINE}", "", "| test | seconds |", "|---|---|"]
        lines += [f"| `{name}` | {seconds} |" for name, seconds in rows]
        with Path(summary).open("a") as file:
            file.write("\n".join(lines) + "\n")

"""What `make retest` says of tests that fail at first, run in a folder of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SUITE = """
from pathlib import Path

def test_steady():
    pass

def test_flaky():
    seen = Path(__file__).with_name("seen")
    first = not seen.exists()
    seen.touch()
    assert not first

def test_broken():
    raise AssertionError
"""
RETEST = ("--last-failed", "--last-failed-no-failures", "none", "-p", "tools.second_try")


def pytest_on(folder: Path, *arguments: str, **environment: str) -> list[str]:
    """The lines that pytest prints."""
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(folder), str(folder), *arguments]
    known = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    # Each of four runs would load all that is installed, in 3 s of CPU.
    known |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=known, check=False)
    return done.stdout.splitlines()


def test_what_passes_now_is_listed_above_the_closing_line(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE)
    summary = tmp_path / "summary.md"
    assert pytest_on(tmp_path)[-1].startswith("2 failed, 1 passed")
    output = pytest_on(tmp_path, *RETEST, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert output[-1].startswith("1 failed, 1 passed in")
    [headline] = [number for number, line in enumerate(output) if "1 passed only on the second try" in line]
    assert output[headline + 1].startswith("test_suite.py::test_flaky  ")
    assert "::warning title=Flaky test::test_suite.py::test_flaky passed only on the second try" in output
    assert [line.split()[1] for line in summary.read_text().splitlines() if "`" in line] == [
        "`test_suite.py::test_flaky`"
    ]


def test_nothing_is_listed_when_nothing_passes_on_the_second_try(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text("def test_broken():\n    raise AssertionError\n")
    pytest_on(tmp_path)
    output = pytest_on(tmp_path, *RETEST)
    assert output[-1].startswith("1 failed")
    assert not [line for line in output if "second try" in line]

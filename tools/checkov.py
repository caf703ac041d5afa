"""Look for insecure settings in infra/bicep with checkov: `python tools/checkov.py`.

checkov brings eighty packages and pins many, so uv keeps it in an environment of its own, at the versions of
checkov.txt beside this file (`make lock` computes it). It exits 0 on a file that it cannot parse and on a folder
without resources; this command fails on both.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

CHECKOV = "checkov==3.3.30"
PINS = Path(__file__).with_suffix(".txt")
BICEP = Path(__file__).parents[1] / "infra" / "bicep"


def scan(folder: Path) -> dict[str, Any]:
    """The report of checkov on a folder of Bicep files.

    Raises:
        RuntimeError: checkov gave no report, as when uv could not fetch it.
    """
    uv = [sys.executable, "-m", "uv", "tool", "run", "--system-certs", "--quiet", "--python", sys.executable]
    pins = ["--from", CHECKOV, "--constraints", str(PINS)]
    arguments = ["checkov", "--directory", str(folder), "--framework", "bicep", "--output", "json", "--skip-download"]
    done = subprocess.run([*uv, *pins, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        raise RuntimeError(f"checkov gave no report: {(done.stderr or done.stdout).strip()[-500:]}") from None


def skips(folder: Path) -> set[tuple[str, str]]:
    """The checks that files in a folder ask checkov to skip, as (file, check)."""
    return {
        (f"/{file.name}", check)
        for file in folder.glob("*.bicep")
        for check in re.findall(r"checkov:skip=(\w+)", file.read_text())
    }


def complaints(report: dict[str, Any], asked: set[tuple[str, str]]) -> list[str]:
    """What is wrong according to a report, a line each; `asked` are the checks that the files ask to skip."""
    results = report.get("results")
    if not results or not report["summary"]["resource_count"]:
        return ["checkov found no resources: nothing was checked."]
    unread = [f"{file}: checkov cannot parse it." for file in results["parsing_errors"]]
    insecure = [
        f"infra/bicep{check['file_path']}:{check['file_line_range'][0]}: {check['check_id']} {check['check_name']}"
        for check in results["failed_checks"]
    ]
    skipped = {(check["file_path"], check["check_id"]) for check in results["skipped_checks"]}
    stale = [f"infra/bicep{file}: nothing is left to skip for {check}." for file, check in sorted(asked - skipped)]
    return unread + insecure + stale


def main() -> int:
    report = scan(BICEP)
    wrong = complaints(report, skips(BICEP))
    for line in wrong:
        print(line)  # noqa: T201 - a command that says what it found
    if not wrong:
        summary = report["summary"]
        print(f"checkov: {summary['passed']} checks passed, {summary['skipped']} skipped with a reason")  # noqa: T201 - as above
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

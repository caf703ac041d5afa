"""`python -m tools.bicep_check FILE...` prints what is wrong and exits 1 if anything is."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.bicep_check.check import check_file
from tools.bicep_check.types import AzureTypes


def main() -> int:
    parser = argparse.ArgumentParser(description="Check Bicep files without the Bicep compiler.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    files: list[Path] = parser.parse_args().files
    azure = AzureTypes()
    wrong = 0
    for file in files:
        for finding in check_file(file, azure):
            wrong += 1
            sys.stdout.write(f"{file}:{finding}\n")
    sys.stdout.write(f"{len(files)} files, {wrong} findings\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

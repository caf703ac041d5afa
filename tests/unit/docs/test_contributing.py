"""The commands that CONTRIBUTING.md gives are there, and what it says of Pythons is so."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()


def test_its_make_commands_are_in_the_makefile():
    blocks = re.findall(r"^```make\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    targets = [line.split("#")[0].split()[1] for block in blocks for line in block.splitlines()]
    assert targets[:3] == ["format", "check", "test"]
    for target in targets:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)


def test_the_help_lists_them():
    listed = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    named = set(re.findall(r"`make ([a-z-]+)", TEXT)) | {"format", "check", "test"}
    assert {word for word in named if f"  make {word} " not in listed} == set()


def test_it_names_the_pythons_that_are_looked_for():
    [supported] = re.findall(r'^SUPPORTED="(.*)"', (ROOT / "tools" / "find-python").read_text(), re.MULTILINE)
    newest, middle, oldest = supported.split()
    assert f"newest Python of {newest}, {middle} and {oldest} that works" in TEXT
    assert f"Python {oldest}, {middle} or {newest}" in re.sub(r"\s+", " ", (ROOT / "README.md").read_text())


def test_places_that_it_names_are_there():
    rows = re.search(r"^## Where things go\n\n(.*?)\n\n", TEXT, re.DOTALL | re.MULTILINE)
    assert rows
    for place in re.findall(r"`([\w./-]+)(?:<[^`]*)?`", rows[1]):
        if not place.startswith((".", "migrations/NNNN")):
            assert (ROOT / place).exists(), place

"""The tests mirror the app's tree: who looks for the tests of a module finds them under its own path and name.

`shared/followups/events/inbox.py` is tested in `shared/followups/events/test_inbox.py`, or in
`test_inbox_<part>.py` where there is more than one file. Tests of a whole package are named for it, or lie in a
folder of a module's name. A module of some length has such a file or folder, or is on the list of those that are
tested elsewhere.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Named for what the user sees, where a test drives the whole app: a workload has no module for a night or a rollback.
WORKLOADS = {Path(path.parent.name) for path in (ROOT / "triggers").glob("*/__init__.py")}
SHORTEST_WITH_A_TEST = 80
"""Lines from which on a module has a file or a folder of tests of its name."""
DATA_ALONE = {"__init__", "models", "settings", "steps", "base", "alerts"}
"""Modules that declare what others use: their tests are those of the users."""
TESTED_ELSEWHERE = {
    "activities/authcache/folding.py": "integration/shared/authcache/folding",
    "activities/papers/mapping.py": "integration/shared/papers/maps",
    "orchestrators/papers/ingesting.py": "integration/shared/papers/ingesting",
    "orchestrators/papers/mapping.py": "integration/shared/papers/maps",
    "shared/platform/stores/roles.py": "integration/infra/test_prepare_database.py",
    "shared/platform/workload.py": "unit/test_workloads.py",
}
"""The other modules without such a test, and where what they do is tested. The list may shrink, and not grow."""


def files(kind: str) -> list[Path]:
    """The test files of this kind, each relative to the kind's own folder."""
    base = ROOT / "tests" / kind
    return sorted(path.relative_to(base) for path in base.rglob("test_*.py"))


def mirrored(folder: Path) -> bool:
    """Whether the app has a package, a module or a folder of that path."""
    return (ROOT / folder).is_dir() or (ROOT / folder).with_suffix(".py").is_file()


def has_subject(test: Path) -> bool:
    """Whether the file is named for something that is there: a module of its folder, or the folder itself."""
    folder = ROOT / test.parent
    if not folder.is_dir() or not list(folder.glob("*.py")):
        return True  # the folder is named for one module, or holds pages or templates
    helpers = (ROOT / "tests" / kind / test.parent for kind in ("unit", "integration"))
    beside = [path for place in (folder, *helpers) for path in place.glob("*") if not path.name.startswith("test_")]
    subjects = {folder.name, *(path.stem.strip("_").replace("-", "_") for path in beside)}
    name = test.stem.removeprefix("test_")
    return any(name == subject or name.startswith(f"{subject}_") for subject in subjects)


@pytest.mark.parametrize("kind", ["unit", "integration"])
def test_a_folder_of_tests_is_named_for_a_module_or_a_package(kind: str) -> None:
    found = {test.parent for test in files(kind)}
    assert len(found) > 10
    assert [str(folder) for folder in sorted(found) if not mirrored(folder)] == []


def test_a_folder_of_acceptance_tests_is_named_for_a_workload_or_a_package() -> None:
    strangers = {test.parent for test in files("acceptance")} - WORKLOADS
    assert [str(folder) for folder in sorted(strangers) if not mirrored(folder)] == []


@pytest.mark.parametrize("kind", ["unit", "integration", "acceptance"])
def test_a_file_of_tests_is_named_for_a_module_or_a_package(kind: str) -> None:
    found = [test for test in files(kind) if test.parent not in WORKLOADS and test.parent != Path()]
    assert len(found) > 10
    assert [str(test) for test in found if not has_subject(test)] == []


def has_tests(module: Path) -> bool:
    """Whether some kind of tests has a file or a folder of the module's name, where the module lies."""
    name = module.stem.strip("_")
    folders = [path / module.parent for path in (ROOT / "tests").iterdir()]
    files = [file for folder in folders for file in folder.glob(f"test_{name}*.py")]
    named = any(file.stem == f"test_{name}" or file.stem.startswith(f"test_{name}_") for file in files)
    return named or any(list((folder / name).rglob("test_*.py")) for folder in folders)


def test_a_module_of_some_length_has_a_test_of_its_name_or_is_listed() -> None:
    trees = ("shared", "triggers", "orchestrators", "activities")
    modules = [path for tree in trees for path in (ROOT / tree).rglob("*.py") if path.stem not in DATA_ALONE]
    long = [path.relative_to(ROOT) for path in modules if path.read_text().count("\n") >= SHORTEST_WITH_A_TEST]
    assert len(long) > 200
    missing = {str(module) for module in long if not has_tests(module)}
    assert missing - set(TESTED_ELSEWHERE) == set(), "give each a test file of its name"
    assert set(TESTED_ELSEWHERE) - missing == set(), "take these off the list: they have one, or are not there"
    assert [place for place in TESTED_ELSEWHERE.values() if not (ROOT / "tests" / place).exists()] == []


def test_no_test_stands_within_a_function_where_nothing_runs_it() -> None:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    hidden = [
        f"{path.relative_to(ROOT)}: {inner.name}"
        for path in (ROOT / "tests").rglob("test_*.py")
        for outer in ast.walk(ast.parse(path.read_text()))
        if isinstance(outer, functions)
        for inner in ast.walk(outer)
        if inner is not outer and isinstance(inner, functions) and inner.name.startswith("test_")
    ]
    assert hidden == []


LONGEST_MODULE = 300
"""Lines, as CONTRIBUTING.md says; most have half of that."""


@pytest.mark.parametrize("tree", ["shared", "triggers", "orchestrators", "activities", "local", "tools"])
def test_a_module_has_one_subject_and_no_more_lines_than_one_has(tree: str) -> None:
    modules = sorted((ROOT / tree).rglob("*.py"))
    assert modules
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in modules}
    assert {name: length for name, length in lines.items() if length > LONGEST_MODULE} == {}

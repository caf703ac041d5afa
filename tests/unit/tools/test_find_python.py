"""Which Python an environment is made of: the newest that the packages are pinned for and that really works."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
FIND = ROOT / "tools" / "find-python"
SUPPORTED = ("3.13", "3.12", "3.11")
SHIM = """#!/bin/sh
echo "pyenv: python3.13: command not found" >&2
exit 127
"""


class Machine:
    """A PATH of its own, with the Pythons that a test puts there, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, version: str, *, venv: bool = True) -> str:
        """Add a Python that says it is of this version; its path."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pretend = f"import sys; sys.version_info = ({version.replace('.', ', ')}); sys.executable = '{path}'"
        if not venv:
            pretend += "; sys.modules['ensurepip'] = None"
        self.write(name, f'#!/bin/sh\nexec {sys.executable} -I -c "{pretend}; exec(sys.argv.pop(1))" "$3" "$4"\n')
        return str(path)

    def write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text)
        (self._folder / name).chmod(0o755)

    def find(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = ["/bin/sh", FIND, *arguments]
        environment = {"PATH": str(self._folder), "HOME": str(self._folder), **environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def machine(tmp_path) -> Machine:
    return Machine(tmp_path)


def test_the_newest_supported_one_is_found(machine):
    paths = {version: machine.put(f"python{version}", version) for version in ("3.11", "3.12", "3.13", "3.14")}
    machine.put("python3", "3.14")
    assert machine.find().stdout == f"{paths['3.13']}\n"


def test_one_that_is_there_and_does_not_run_is_passed_over(machine):
    machine.write("python3.13", SHIM)
    machine.put("python3.12", "3.12", venv=False)
    found = machine.put("python3.11", "3.11")
    assert machine.find().stdout == f"{found}\n"


def test_a_machine_that_has_python3_alone_is_enough(machine):
    assert machine.find().returncode == 1
    found = machine.put("python3", "3.12")
    assert machine.find().stdout == f"{found}\n"


def test_what_is_wrong_with_each_is_said(machine):
    machine.write("python3.13", SHIM)
    machine.put("python3.12", "3.12", venv=False)
    machine.put("python3", "3.14")
    found = machine.find()
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.splitlines() == [
        "None of the Pythons here is one that Manifold runs on (3.13 3.12 3.11):",
        "  python3.13: pyenv: python3.13: command not found",
        "  python3.12: it has no venv; on Debian and Ubuntu: apt install python3.12-venv",
        "  python3.11: not found",
        "  python3: it is Python 3.14",
        "Install one of these with venv, or name yours: make setup PYTHON=/path/to/python3.12",
    ]


@pytest.fixture
def pyenv(machine) -> dict[str, str]:
    """The paths of pyenv's Pythons, of which its names on the PATH run none."""
    for version in SUPPORTED:
        machine.write(f"python{version}", SHIM)
    versions = ("3.11.7", "3.12.1", "3.13.0", "3.13.9", "3.13.10", "3.14.0")
    return {one: machine.put(f".pyenv/versions/{one}/bin/python", one[: one.rindex(".")]) for one in versions}


def test_defect_a_version_that_pyenv_has_and_does_not_choose_is_found(machine, pyenv, tmp_path):
    machine.put("python3", "3.11")
    assert machine.find().stdout == f"{pyenv['3.13.10']}\n"
    Path(pyenv["3.13.10"]).unlink()
    assert machine.find().stdout == f"{pyenv['3.13.9']}\n"


def test_pyenv_is_looked_for_where_it_says_that_it_is(machine, pyenv, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / ".pyenv").rename(elsewhere)
    assert machine.find().returncode == 1
    assert machine.find(PYENV_ROOT=str(elsewhere)).stdout == f"{pyenv['3.13.10']}\n"
    machine.write("pyenv", f'#!/bin/sh\n[ "$1" = root ] && echo {elsewhere}\n')
    assert machine.find().stdout == f"{pyenv['3.13.10']}\n"


def test_a_version_that_is_chosen_for_this_shell_holds(machine, pyenv):
    chosen = machine.put("python3.12", "3.12")
    assert machine.find(PYENV_VERSION="3.12.1").stdout == f"{chosen}\n"
    assert machine.find().stdout == f"{pyenv['3.13.10']}\n"


def test_a_version_that_uv_has_is_found_and_none_is_fetched(machine):
    found = machine.put("managed/3.12/python", "3.12")
    machine.put("python3.11", "3.11")
    machine.write(
        "uv",
        f"""#!/bin/sh
[ "$*" = "python find --system 3.12" ] && [ "$UV_PYTHON_DOWNLOADS" = never ] && echo {found}
""",
    )
    assert machine.find().stdout == f"{found}\n"


def test_the_named_one_counts_alone(machine):
    machine.put("python3.13", "3.13")
    found = machine.put("mine", "3.11")
    assert machine.find("mine").stdout == f"{found}\n"
    assert machine.find(found).stdout == f"{found}\n"
    refused = machine.find("python3.12")
    assert refused.returncode == 1
    assert "  python3.12: not found\n" in refused.stderr
    assert "python3.13: " not in refused.stderr


def test_the_same_ones_stand_everywhere():
    assert re.findall(r'^SUPPORTED="(.*)"', FIND.read_text(), re.MULTILINE) == [" ".join(SUPPORTED)]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    oldest, newest = SUPPORTED[-1], SUPPORTED[0]
    above = f"3.{int(newest.split('.')[1]) + 1}"
    assert project["project"]["requires-python"] == f">={oldest},<{above}"
    assert project["tool"]["pyright"]["pythonVersion"] == oldest
    assert project["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    ci = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert ci["jobs"]["test"]["strategy"]["matrix"]["python"] == list(reversed(SUPPORTED))
    assert f"version: '{oldest}'" in (ROOT / "infra" / "bicep" / "functionApp.bicep").read_text()
    assert f"--python-version {oldest} " in (ROOT / "Makefile").read_text()


class TestEnvironment:
    """When the environment of a clone is made anew."""

    @pytest.fixture
    def up_to_date(self, tmp_path):
        """Says whether `make` takes the environment as it is."""
        shutil.copy(ROOT / "Makefile", tmp_path)
        for name in ("requirements.txt", "requirements-dev.txt", "requirements-data.txt", "requirements-minilm.txt"):
            (tmp_path / name).touch()
        programs = tmp_path / ".venv" / "bin"
        programs.mkdir(parents=True)
        (programs / "python").symlink_to(sys.executable)
        (tmp_path / ".venv" / ".installed").touch()

        def ask(*arguments: str) -> bool:
            words = ["make", "--question", ".venv/.installed", *arguments]
            environment = {"PATH": os.environ["PATH"]}
            done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode in (0, 1), done.stderr
            return done.returncode == 0

        return ask

    def test_it_is_kept(self, up_to_date):
        assert up_to_date()
        assert up_to_date(f"PYTHON={sys.executable}")

    def test_another_python_that_is_named_replaces_it(self, up_to_date, tmp_path):
        other = tmp_path / "other"
        other.write_text("#!/bin/sh\necho Python 3.12.99\n")
        other.chmod(0o755)
        assert not up_to_date(f"PYTHON={other}")
        assert not up_to_date("PYTHON=python-that-is-not-there")

    def test_one_whose_python_was_removed_is_replaced(self, up_to_date, tmp_path):
        (tmp_path / ".venv" / "bin" / "python").unlink()
        (tmp_path / ".venv" / "bin" / "python").symlink_to(tmp_path / "removed")
        assert not up_to_date()
